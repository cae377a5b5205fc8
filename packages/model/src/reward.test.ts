import { count, joules, ratio, seconds } from "@offloadlab/units";
import fc from "fast-check";
import { expect, it } from "vitest";
import { discountedReward, instantReward } from "./reward.ts";
import { isSuccess, outcomes } from "./task.ts";

const demand = { delay: 0.5, energy: 1, success: 10 };
const capacity = joules(120);
const weight = fc.double({ min: 0, max: 20, noNaN: true });

it("Eq. (19) pays the opposite of delay and energy for a success", () => {
  expect(instantReward(demand, "completed-local", seconds(1), joules(12), capacity)).toBeCloseTo(-0.6, 12);
  expect(instantReward(demand, "completed-edge", seconds(1), joules(12), capacity)).toBeCloseTo(-0.6, 12);
});

it("Eq. (19) pays -q_p for every failure, whatever it took", () => {
  for (const outcome of outcomes.filter((outcome) => !isSuccess(outcome))) {
    expect(instantReward(demand, outcome, seconds(9), joules(9), capacity)).toBe(-10);
  }
});

it("Eq. (19) never pays a positive reward", () => {
  fc.assert(
    fc.property(weight, weight, weight, fc.constantFrom(...outcomes), weight, weight, (q, e, p, outcome, t, j) => {
      const reward = instantReward({ delay: q, energy: e, success: p }, outcome, seconds(t), joules(j), capacity);
      return reward <= 0;
    }),
  );
});

it("Eq. (20) discounts sub-slots, and the devices of one alike", () => {
  // Two sub-slots of three devices: (1 + 2 + 3) + 0.5 · (4 + 5 + 6).
  expect(discountedReward([1, 2, 3, 4, 5, 6], count(3), ratio(0.5))).toBe(13.5);
});

it("Eq. (20) is the plain sum at γ = 1 and the first sub-slot at γ = 0", () => {
  expect(discountedReward([1, 2, 3, 4], count(2), ratio(1))).toBe(10);
  expect(discountedReward([1, 2, 3, 4], count(2), ratio(0))).toBe(3);
});
