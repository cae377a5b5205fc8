import type {
  LiveAnswers,
  LiveCommunity,
  LiveDevice,
  LiveFederation,
  LiveRound,
  LiveRoundMember,
  LiveRun,
  LiveSnapshot,
} from "@offloadlab/protocol";

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
  answers: [],
  ...changes,
});

/** Answers of a policy from outside in a community, all its own, for tests. */
export const answers = (changes: Partial<LiveAnswers> = {}): LiveAnswers => ({
  policy: "./mine.onnx",
  community: "r1",
  asked: 240,
  adjusted: 0,
  fallbacks: { late: 0, unreachable: 0, refused: 0, malformed: 0 },
  firstProblem: undefined,
  ...changes,
});

/** What a round knows of a server, for tests. */
export const roundMember = (changes: Partial<LiveRoundMember> = {}): LiveRoundMember => ({
  node: "mec-1",
  took: true,
  uploadBytes: 1000,
  updates: 40,
  losses: { actor: -1, critic1: 0.2, critic2: 0.4 },
  proximalWeights: { actor: 0.1, critic1: 0, critic2: 0 },
  ...changes,
});

/** A round that was averaged, for tests. */
export const round = (changes: Partial<LiveRound> = {}): LiveRound => ({
  round: 1,
  trial: 5,
  state: "averaged",
  reason: null,
  modelBytes: 1000,
  members: [roundMember(), roundMember({ node: "mec-2", took: false })],
  ...changes,
});

/** A federation of two servers after its first round, for tests. */
export const federation = (changes: Partial<LiveFederation> = {}): LiveFederation => ({
  policy: "pfr-oa",
  nodes: ["mec-1", "mec-2"],
  networks: ["actor", "critic1", "critic2"],
  greedyProbability: 0.8,
  globalShare: 0.3,
  open: null,
  rounds: [round()],
  averagedRounds: 1,
  skippedRounds: 0,
  refusals: {},
  starved: [],
  ...changes,
});
