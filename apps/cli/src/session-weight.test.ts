import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { promisify } from "node:util";
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

const isAllowed = weight() !== undefined && mayPrefer();

test("a lab's session weighs more until it is given back, where that is allowed", () => {
  const before = weight();
  const giveBack = preferSession();
  if (isAllowed) expect(weight()).toContain("nice -10");
  else expect(weight()).toBe(before);
  giveBack();
  expect(weight()).toBe(before);
});

test("of two labs in one session the first gives the weight back, whichever ends first", () => {
  const before = weight();
  const first = preferSession();
  const second = preferSession();
  first();
  second();
  expect(weight()).toBe(before);
});

test.runIf(isAllowed)("a process that just exits gives it back, too", async () => {
  const before = weight();
  const module = JSON.stringify(new URL("./session-weight.ts", import.meta.url).href);
  const program = `import { readFileSync } from "node:fs"; import { preferSession } from ${module};
    preferSession(); console.log(readFileSync("/proc/self/autogroup", "utf8")); process.exit();`;
  const words = ["--import", "tsx", "--input-type=module", "-e", program];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  expect(stdout).toContain("nice -10");
  expect(weight()).toBe(before);
});
