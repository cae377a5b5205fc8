import type { EpochSums, SweepEstimate, SweepRow } from "./sweep-rows.ts";

export const epochSums = (change: Partial<EpochSums> = {}): EpochSums => ({
  trial: 1,
  policy: "local",
  repetition: 1,
  variables: {},
  community: "community-1",
  epoch: 1,
  seed: 7,
  tasks: 4,
  outcomes: { "completed-local": 2, "completed-edge": 1, late: 1, drained: 0, expired: 0, lost: 0 },
  reward: -8,
  energyJoules: 40,
  waitingSeconds: 2,
  ...change,
});

/** With intervals of 0.5 and 0.25 to either side. */
export const sweepEstimate = (mean: number, n = 30): SweepEstimate => ({
  mean,
  interval: [mean - 0.5, mean + 0.5],
  bootstrapInterval: [mean - 0.25, mean + 0.25],
  n,
});

export const sweepRow = (change: Partial<SweepRow> = {}): SweepRow => ({
  policy: "local",
  variables: {},
  community: "all",
  successRatio: sweepEstimate(0.75),
  energyJoules: sweepEstimate(10.25),
  waitingSeconds: sweepEstimate(1.5),
  rewardPerTask: sweepEstimate(-2),
  rewardPerEpoch: sweepEstimate(-520.5),
  ...change,
});

export const provenance = { sweep: "bandwidth", commit: "1a2b3c4", seed: 5, trials: 240 };
export const provenanceText = "sweep bandwidth, commit 1a2b3c4, seed 5, 240 trials";
