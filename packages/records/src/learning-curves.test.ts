import { expect, it } from "vitest";
import { curvesCsv } from "./curves-csv.ts";
import { epochsToReach, learningCurves } from "./learning-curves.ts";
import type { TrialCurve } from "./sweep-folder.ts";
import { provenance, provenanceText } from "./sweep-rows.test-helper.ts";

/** A training whose communities had these success rates after each epoch, from `first` on. */
const curve = (repetition: number, communities: Record<string, readonly number[]>, first = 0): TrialCurve => ({
  trial: repetition,
  policy: "td3",
  repetition,
  variables: {},
  rounds: [],
  processorSeconds: 1,
  records: Object.entries(communities).flatMap(([community, rates]) =>
    rates.map((successRatio, index) => ({
      epoch: first + index,
      community,
      successRatio,
      energyJoules: 1,
      waitingSeconds: 1,
      reward: -10 * successRatio,
      losses: {},
    })),
  ),
});

it("averages over trainings, epoch by epoch; all communities or one", () => {
  const curves = [curve(1, { R1: [0.5, 0.75], R2: [0.25, 0.75] }), curve(2, { R1: [0.5, 1], R2: [0.25, 1] })];
  const means = (community?: string) =>
    learningCurves(curves, "successRatio", community).map(({ epoch, estimate }) => [epoch, estimate.mean, estimate.n]);
  expect(means()).toEqual([
    [0, 0.375, 2],
    [1, 0.875, 2],
  ]);
  expect(means("R2").map(([, mean]) => mean)).toEqual([0.25, 0.875]);
  expect(learningCurves(curves, "reward", "R1")[0]?.estimate).toEqual({ mean: -5, halfWidth: 0, n: 2 });
});

it("a rate is reached by the mean of three successive epochs, counted from the community's own beginning", () => {
  const lucky = curve(1, { R1: [0, 1, 0, 0.5, 1, 1, 1] });
  expect(epochsToReach(lucky, 0.95)).toBe(6);
  expect(epochsToReach(lucky, 0.5)).toBe(3);
  expect(epochsToReach(lucky, 1.01)).toBeUndefined();
  expect(epochsToReach(curve(1, { R3: [0, 1, 1, 1] }, 40), 0.95, "R3")).toBe(3);
  expect(epochsToReach(curve(1, { R1: [1, 1] }), 0.95)).toBeUndefined();
});

it("as CSV has a line per community and epoch", () => {
  const text = curvesCsv([curve(1, { R1: [0.5] }), curve(2, { R1: [0.5] })], provenance);
  const [comment, heading, ...lines] = text.trimEnd().split("\n");
  expect(comment).toContain(provenanceText);
  expect(heading).toBe(
    "policy,community,epoch,n,reward_per_epoch_mean,reward_per_epoch_low,reward_per_epoch_high,success_mean_ratio,success_low_ratio,success_high_ratio,energy_mean_joules,energy_low_joules,energy_high_joules,waiting_mean_seconds,waiting_low_seconds,waiting_high_seconds",
  );
  expect(lines).toEqual([
    "td3,all,0,2,-5,-5,-5,0.5,0.5,0.5,1,1,1,1,1,1",
    "td3,R1,0,2,-5,-5,-5,0.5,0.5,0.5,1,1,1,1,1,1",
  ]);
});
