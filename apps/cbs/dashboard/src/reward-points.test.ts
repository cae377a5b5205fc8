import type { Estimate, LiveResult } from "@offloadlab/protocol";
import { expect, it } from "vitest";
import { axisTicks, pointsOf, rewardEnds } from "./reward-points.ts";

const none: Estimate = { mean: null, halfWidth: null, n: 0 };
const row = (community: string, reward: Estimate): LiveResult => ({
  policy: "fair",
  community,
  reward,
  successRatio: none,
  energyJoules: none,
  waitingSeconds: none,
});

it("has a point for each community where a trial has ended, in the communities' order", () => {
  const rows = [
    row("R2", { mean: -2, halfWidth: 0.5, n: 3 }),
    row("R1", { mean: -1, halfWidth: null, n: 1 }),
    row("R3", none),
  ];
  expect(pointsOf({ policy: "fair", overall: null, communities: rows }, ["R1", "R2", "R3"])).toEqual([
    { community: "R2", index: 1, mean: -2, low: -2.5, high: -1.5 },
    { community: "R1", index: 0, mean: -1, low: -1, high: -1 },
  ]);
});

it("the axis holds all intervals, and zero", () => {
  const [low, high] = rewardEnds([row("R1", { mean: -8, halfWidth: 2, n: 3 }), row("R2", none)]);
  expect(low).toBeCloseTo(-10.3);
  expect(high).toBeCloseTo(0.3);
  expect(rewardEnds([])).toEqual([-1, 0]);
});

it.each([
  [-10.3, 0.3, [-10, -8, -6, -4, -2, 0]],
  [-0.95, 0.03, [-0.8, -0.6, -0.4, -0.2, 0]],
  [-1, 0, [-1, -0.8, -0.6, -0.4, -0.2, 0]],
])("from %f to %f there are round values", (low, high, ticks) => {
  expect(axisTicks(low, high)).toEqual(ticks.map((tick) => tick + 0));
});
