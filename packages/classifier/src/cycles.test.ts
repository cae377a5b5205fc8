import { cycles } from "@offloadlab/units";
import fc from "fast-check";
import { expect, test } from "vitest";
import { inferenceCount } from "./cycles.ts";

test("a task takes its cycles to half an inference, and at least one", () => {
  expect(inferenceCount(cycles(1e9), cycles(3e6))).toBe(333);
  expect(inferenceCount(cycles(1), cycles(3e6))).toBe(1);
  fc.assert(
    fc.property(
      fc.double({ min: 1e6, max: 1e10, noNaN: true }),
      fc.double({ min: 1e5, max: 1e9, noNaN: true }),
      (work, each) => {
        const inferences = inferenceCount(cycles(work), cycles(each));
        expect(inferences).toBeGreaterThanOrEqual(1);
        if (inferences > 1) expect(Math.abs(inferences * each - work)).toBeLessThanOrEqual(each * 0.5000001);
      },
    ),
  );
});

test("an inference without cycles is a mistake", () => {
  expect(() => inferenceCount(cycles(1e9), cycles(0))).toThrow(RangeError);
});
