import { readFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { expect, test } from "vitest";
import { preferSession } from "./session-weight.ts";

const weight = (): string | undefined => {
  try {
    return readFileSync("/proc/self/autogroup", "utf8");
  } catch {
    return undefined;
  }
};
/** The same right as a thread's. */
const mayPrefer = (): boolean => {
  const before = getPriority();
  try {
    setPriority(before - 1);
    setPriority(before);
    return true;
  } catch {
    return false;
  }
};

test("a lab's session weighs more until it is given back, where that is allowed", () => {
  const before = weight();
  const giveBack = preferSession();
  if (before !== undefined && mayPrefer()) expect(weight()).toContain("nice -10");
  else expect(weight()).toBe(before);
  giveBack();
  expect(weight()).toBe(before);
});
