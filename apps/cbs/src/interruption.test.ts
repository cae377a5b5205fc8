import { expect, it } from "vitest";
import { afterInterruption } from "./interruption.ts";

const lost = { kind: "lost", reason: "mec-1 was restarted in the midst of it" } as const;

it("a trial that a lost node cut short is repeated, not for ever", () => {
  expect(afterInterruption(lost, 1, null, false)).toEqual({ kind: "repeat" });
  expect(afterInterruption(lost, 9, null, true)).toEqual({ kind: "repeat" });
  expect(afterInterruption(lost, 10, null, true)).toMatchObject({ kind: "end", reason: expect.stringMatching(/^10 /) });
});

it("what failed on nodes that are there, and an operator's stop, end the run", () => {
  for (const kind of ["failed", "stopped"] as const) {
    expect(afterInterruption({ kind, reason: "why" }, 1, null, true)).toEqual({ kind: "end", reason: "why" });
  }
});

it("after too many abandoned trials a comparison ends; what learns goes on, and is invalid at its end", () => {
  const tooMany = "3 of 10 trials cut short";
  expect(afterInterruption(lost, 1, tooMany, false)).toEqual({
    kind: "end",
    reason: `${tooMany}; the last: ${lost.reason}`,
  });
  expect(afterInterruption(lost, 1, tooMany, true)).toEqual({ kind: "repeat" });
});
