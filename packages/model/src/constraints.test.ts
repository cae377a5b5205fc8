import { joules, seconds } from "@offloadlab/units";
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  hasExpired,
  isBinaryDecision,
  meetsDeadline,
  shareLeft,
  sharesFit,
  taskCost,
  withinCharge,
} from "./constraints.ts";
import { isClose } from "./dimension.test-helper.ts";

const demand = { delay: 0.5, energy: 1, success: 10 };
const amount = fc.double({ min: 1e-6, max: 100, noNaN: true });

it("Eq. (16) weighs a second with q_t and a full battery with q_e", () => {
  expect(taskCost(demand, seconds(2), joules(30), joules(120))).toBe(1.25);
});

it("Eq. (16) keeps its value when energy and capacity scale together", () => {
  fc.assert(
    fc.property(amount, amount, fc.double({ min: 0.1, max: 10, noNaN: true }), (delay, energy, scale) =>
      isClose(
        taskCost(demand, seconds(delay), joules(energy * scale), joules(120 * scale)),
        taskCost(demand, seconds(delay), joules(energy), joules(120)),
      ),
    ),
  );
});

it("Eq. (16) C1 accepts 0 and 1 only", () => {
  expect([0, 1, 0.5, 2, Number.NaN].map(isBinaryDecision)).toEqual([true, true, false, false, false]);
});

it("Eq. (16) C2 includes the deadline itself", () => {
  expect(meetsDeadline(seconds(1.5), seconds(1.5))).toBe(true);
  expect(meetsDeadline(seconds(1.5001), seconds(1.5))).toBe(false);
});

it("a task has expired from its deadline on", () => {
  expect([1.49, 1.5, 1.51].map((age) => hasExpired(seconds(age), seconds(1.5)))).toEqual([false, true, true]);
});

it("Eq. (16) C3 includes the last joule", () => {
  expect(withinCharge(joules(120), joules(120))).toBe(true);
  expect(withinCharge(joules(120.1), joules(120))).toBe(false);
});

it("Eq. (16) C4 and C5 hold when nobody offloads and when shares sum to 1", () => {
  expect(sharesFit([])).toBe(true);
  expect(sharesFit([0, 0, 0])).toBe(true);
  expect(sharesFit(Array.from({ length: 13 }, () => 1 / 13))).toBe(true);
});

it("Eq. (16) C4 and C5 do not hold above 1, with shares in flight, or below 0", () => {
  expect(sharesFit([0.6, 0.6])).toBe(false);
  expect(sharesFit([0.6], 0.6)).toBe(false);
  expect(sharesFit([1, -0.5])).toBe(false);
  expect(sharesFit([Number.NaN])).toBe(false);
});

it("what is left and what is in use fit, for any rounding of what is in use", () => {
  fc.assert(
    fc.property(fc.double({ min: -1e-12, max: 1 + 1e-12, noNaN: true }), (inUse) =>
      sharesFit([shareLeft(inUse)], inUse),
    ),
  );
  expect(shareLeft(1 - 1e-12)).toBe(0);
  expect(shareLeft(-1e-16)).toBe(1);
});
