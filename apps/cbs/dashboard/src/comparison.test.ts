import type { Estimate, LiveResult } from "@offloadlab/protocol";
import { expect, it } from "vitest";
import {
  bestPolicies,
  columnDecimals,
  groupByPolicy,
  halfLength,
  halfWidthText,
  type Metric,
  metrics,
  trialsOf,
} from "./comparison.ts";

const estimate = (mean: number | null, n = 3): Estimate => ({ mean, halfWidth: n < 2 ? null : 0.1, n });

const row = (policy: string, community: string, mean: number | null, n = 3): LiveResult => ({
  policy,
  community,
  reward: estimate(mean, n),
  successRatio: estimate(0.9, n),
  energyJoules: estimate(mean === null ? null : -mean, n),
  waitingSeconds: estimate(0.2, n),
});

const metric = (key: Metric["key"]): Metric => metrics.find((each) => each.key === key) as Metric;
const results = [row("local", "r1", -1), row("edge", "all", -3), row("local", "all", -2), row("edge", "r1", 0)];

it("groups by policy and keeps the order in which they came", () => {
  const groups = groupByPolicy(results);
  expect(groups.map(({ policy }) => policy)).toEqual(["local", "edge"]);
  expect(groups[0]?.overall?.reward.mean).toBe(-2);
  expect(groups[0]?.communities.map(({ community }) => community)).toEqual(["r1"]);
});

it("finds the best overall mean: the highest reward, the lowest energy, and every policy of a tie", () => {
  expect([...bestPolicies(results, metric("reward"))]).toEqual(["local"]);
  expect([...bestPolicies(results, metric("energyJoules"))]).toEqual(["local"]);
  expect(bestPolicies(results, metric("successRatio")).size).toBe(2);
});

it("names no best while only one policy has a mean", () => {
  expect(bestPolicies([row("local", "all", -2)], metric("reward")).size).toBe(0);
  expect(bestPolicies([row("local", "all", -2), row("edge", "all", null, 0)], metric("reward")).size).toBe(0);
});

it("gives a column one number of decimals", () => {
  expect(columnDecimals([row("local", "all", -12), row("edge", "all", -1)], metric("reward"))).toBe(2);
  expect(columnDecimals([row("local", "all", -12), row("edge", "all", null, 0)], metric("reward"))).toBe(2);
  expect(columnDecimals(results, metric("successRatio"))).toBe(1);
});

it("shows when columns rest on different numbers of trials", () => {
  expect(trialsOf({ ...row("local", "all", 0), waitingSeconds: estimate(0, 2) })).toEqual([2, 3]);
});

it("shows no interval for fewer than two trials, and knows its column's longest", () => {
  expect(halfWidthText(estimate(1, 1), metric("reward"), 2)).toBe("–");
  expect(halfWidthText(estimate(1), metric("successRatio"), 1)).toBe("10.0");
  expect(halfLength(results, metric("successRatio"), 1)).toBe(4);
  expect(halfLength([], metric("reward"), 3)).toBe(1);
});
