import { randomStream } from "@offloadlab/model";
import { expect, it } from "vitest";
import { sweepRows } from "./sweep-estimates.ts";
import { epochSums } from "./sweep-rows.test-helper.ts";
import type { EpochSums } from "./sweep-rows.ts";

const none = { "completed-local": 0, "completed-edge": 0, late: 0, drained: 0, expired: 0, lost: 0 };

/** Two bandwidths, two policies, three repetitions, two epochs of eleven communities; no two sums are alike. */
const sweep = (): EpochSums[] => {
  const random = randomStream(11);
  const trials = [5e6, 15e6].flatMap((bandwidth) =>
    ["greedy", "local"].flatMap((policy) => [1, 2, 3].map((repetition) => ({ bandwidth, policy, repetition }))),
  );
  return trials.flatMap(({ bandwidth, policy, repetition }, index) =>
    [1, 2].flatMap((epoch) =>
      Array.from({ length: 11 }, (_, community) =>
        epochSums({
          trial: index + 1,
          policy,
          repetition,
          variables: { bandwidth_hertz: bandwidth },
          community: `community-${community + 1}`,
          epoch,
          reward: random.uniform(-10, 0),
          energyJoules: random.uniform(10, 60),
          waitingSeconds: random.uniform(),
        }),
      ),
    ),
  );
};

it("has a row per loop value, policy and community, in the order of the trials, all communities first", () => {
  const rows = sweepRows(sweep());
  const communities = ["all", ...Array.from({ length: 11 }, (_, index) => `community-${index + 1}`)];
  expect(rows.map((row) => [row.variables["bandwidth_hertz"], row.policy, row.community])).toEqual(
    [5e6, 15e6].flatMap((bandwidth) =>
      ["greedy", "local"].flatMap((policy) => communities.map((community) => [bandwidth, policy, community])),
    ),
  );
  expect(rows.every(({ rewardPerEpoch }) => rewardPerEpoch.n === 3)).toBe(true);
});

it("is the same to the last digit whatever the order of the sums", () => {
  const sums = sweep();
  const random = randomStream(12);
  const shuffled = sums
    .map((sums) => ({ sums, key: random.uniform() }))
    .sort((a, b) => a.key - b.key)
    .map(({ sums }) => sums);
  expect(JSON.stringify(sweepRows(shuffled))).toBe(JSON.stringify(sweepRows(sums)));
  expect(JSON.stringify(sweepRows(sums))).toBe(JSON.stringify(sweepRows(sums)));
});

it("a trial counts once, with its sums over the tasks of all epochs", () => {
  const [all] = sweepRows([
    // Trial 1: 2 of 4 tasks succeed.
    epochSums({ tasks: 1, outcomes: { ...none, late: 1 }, reward: -10, energyJoules: 4, waitingSeconds: 1 }),
    epochSums({
      epoch: 2,
      tasks: 3,
      outcomes: { ...none, "completed-local": 1, "completed-edge": 1, expired: 1 },
      reward: -2,
      energyJoules: 8,
      waitingSeconds: 1,
    }),
    // Trial 2: the one task succeeds.
    epochSums({
      trial: 2,
      repetition: 2,
      tasks: 1,
      outcomes: { ...none, "completed-edge": 1 },
      reward: -1,
      energyJoules: 5,
      waitingSeconds: 0.25,
    }),
  ]);
  expect(all?.successRatio.mean).toBe((2 / 4 + 1) / 2);
  expect(all?.energyJoules.mean).toBe((12 / 4 + 5) / 2);
  expect(all?.waitingSeconds.mean).toBe((2 / 4 + 0.25) / 2);
  expect(all?.rewardPerTask.mean).toBe((-12 / 4 - 1) / 2);
  // Two epochs with -12 together, and one with -1.
  expect(all?.rewardPerEpoch.mean).toBe((-6 - 1) / 2);
  // Of -6 and -1: the deviation is 5/√2, so the half width is 12.7062 · 2.5.
  expect(all?.rewardPerEpoch.interval?.[0]).toBeCloseTo(-3.5 - 12.7062 * 2.5, 3);
  expect(all?.rewardPerEpoch.interval?.[1]).toBeCloseTo(-3.5 + 12.7062 * 2.5, 3);
  expect(all?.rewardPerEpoch.bootstrapInterval).toEqual([-6, -1]);
});

it("the reward of an epoch is per community, so communities do not add up", () => {
  const rows = sweepRows([epochSums({ reward: -8 }), epochSums({ reward: -4, community: "community-2" })]);
  expect(rows.map(({ community, rewardPerEpoch }) => [community, rewardPerEpoch.mean])).toEqual([
    ["all", -6],
    ["community-1", -8],
    ["community-2", -4],
  ]);
  expect(rows[0]?.rewardPerEpoch).toEqual({ mean: -6, interval: null, bootstrapInterval: null, n: 1 });
});

it("a community without tasks has no mean per task, but a reward of 0 per epoch", () => {
  const idle = epochSums({ tasks: 0, outcomes: none, reward: 0, energyJoules: 0, waitingSeconds: 0 });
  const [row] = sweepRows([idle]);
  expect(row?.successRatio).toEqual({ mean: null, interval: null, bootstrapInterval: null, n: 0 });
  expect(row?.rewardPerEpoch.mean).toBe(0);
});

it("leaves out what was not simulated, and refuses an epoch that is there twice", () => {
  const rows = sweepRows([
    epochSums({ variables: { devices: 3 } }),
    epochSums({ trial: 2, policy: "edge", variables: { devices: 5 } }),
  ]);
  expect(rows.map(({ policy, variables }) => [policy, variables["devices"]])).toEqual([
    ["local", 3],
    ["local", 3],
    ["edge", 5],
    ["edge", 5],
  ]);
  expect(sweepRows([])).toEqual([]);
  expect(() => sweepRows([epochSums(), epochSums()])).toThrow(RangeError);
});
