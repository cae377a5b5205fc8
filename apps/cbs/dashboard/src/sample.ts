import type { LiveCommunity, LiveDevice, LiveRun, LiveSnapshot } from "@offloadlab/protocol";

/** A device for tests, its battery full and nothing to do. */
export const device = (changes: Partial<LiveDevice> = {}): LiveDevice => ({
  id: "ed-1-1",
  online: true,
  chargeJoules: 120,
  capacityJoules: 120,
  queueLength: 0,
  processorBusy: false,
  radioBusy: false,
  generated: 0,
  link: null,
  outcomes: {},
  ...changes,
});

/** A community of one device for tests. */
export const community = (changes: Partial<LiveCommunity> = {}): LiveCommunity => ({
  name: "r1",
  server: { id: "mec-1", online: true, bandwidthInUseRatio: 0, computeInUseRatio: 0, tasksInFlight: 0 },
  devices: [device()],
  rewardPerTask: null,
  reward: 0,
  ...changes,
});

/** A run in its first trial for tests. */
export const run = (changes: Partial<LiveRun> = {}): LiveRun => ({
  id: "2024-05-01-a",
  name: "five policies",
  state: "running",
  reasons: [],
  trial: 1,
  trialCount: 20,
  policy: "greedy",
  trialSeconds: 0,
  epochSeconds: 60,
  remainingSeconds: 600,
  clockSpeed: 1,
  hardware: "emulated",
  ...changes,
});

/** A whole snapshot for tests. */
export const snapshot = (changes: Partial<LiveSnapshot> = {}): LiveSnapshot => ({
  run: run(),
  communities: [community()],
  results: [],
  federations: [],
  learning: [],
  ...changes,
});
