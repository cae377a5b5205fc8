import type { AnswerRow, Estimate, ResultRow, TraceEvent } from "@offloadlab/records";

export type { Estimate };

/** What the dashboard is sent, whole, twice a second. JSON, so the units are in the names. */
export interface LiveSnapshot {
  /** null before the first run */
  readonly run: LiveRun | null;
  readonly communities: readonly LiveCommunity[];
  /** The comparison so far: one row per policy and community, `community: "all"` for all of them. */
  readonly results: readonly LiveResult[];
  /** Of each policy that is federated. */
  readonly federations: readonly LiveFederation[];
  /** How the policies that learn did, epoch by epoch. */
  readonly learning: readonly LiveEpoch[];
  /** What became of the answers of policies from outside, by policy and community. */
  readonly answers: readonly LiveAnswers[];
}

export interface LiveRun {
  readonly id: string;
  readonly name: string;
  readonly state: "preparing" | "running" | "sealing" | "complete" | "invalid" | "interrupted";
  /** Why it is invalid, one sentence each. */
  readonly reasons: readonly string[];
  /** From 1; 0 before the first trial. */
  readonly trial: number;
  readonly trialCount: number;
  readonly policy: string | null;
  /** Lab time since the start of the trial. */
  readonly trialSeconds: number;
  readonly epochSeconds: number;
  /** Real time until the run's end, estimated. */
  readonly remainingSeconds: number;
  /** Lab seconds per real second. */
  readonly clockSpeed: number;
  /** `emulated` when the boards are. */
  readonly hardware: "emulated" | "linux";
}

export interface LiveCommunity {
  readonly name: string;
  readonly server: LiveServer;
  readonly devices: readonly LiveDevice[];
  /** Over the tasks of this trial that have ended. */
  readonly rewardPerTask: number | null;
  /** Sum of the rewards of this trial so far. */
  readonly reward: number;
}

export interface LiveServer {
  readonly id: string;
  readonly online: boolean;
  readonly bandwidthInUseRatio: number;
  readonly computeInUseRatio: number;
  /** Tasks being uploaded or executed. */
  readonly tasksInFlight: number;
}

/** How fast a link is, by the errors of its last uploads. */
export interface LiveLink {
  /** Effective rate over Eq. (1)'s. */
  readonly rateRatio: number;
  /** Half width of its 95 % interval; null from one upload. */
  readonly uncertaintyRatio: number | null;
  readonly uploads: number;
}

export interface LiveDevice {
  readonly id: string;
  readonly online: boolean;
  readonly chargeJoules: number;
  readonly capacityJoules: number;
  readonly queueLength: number;
  readonly processorBusy: boolean;
  readonly radioBusy: boolean;
  readonly generated: number;
  /** What its uploads say of its link; null before the first. */
  readonly link: LiveLink | null;
  /** Tasks of this trial by outcome: `completed-local`, `completed-edge`, `late`, `drained`, `expired`, `lost`. */
  readonly outcomes: Readonly<Record<string, number>>;
}

export type LiveResult = ResultRow;

/** Over the trials that have come to their end. */
export type LiveAnswers = AnswerRow;

/** The federation of a policy, Algorithm 2. */
export interface LiveFederation {
  readonly policy: string;
  /** In the order of the communities. */
  readonly nodes: readonly string[];
  readonly networks: readonly string[];
  /** ε */
  readonly greedyProbability: number;
  /** f_q */
  readonly globalShare: number;
  /** The round that takes updates now. */
  readonly open: LiveOpenRound | null;
  /** Those that have ended, ascending. */
  readonly rounds: readonly LiveRound[];
  readonly averagedRounds: number;
  readonly skippedRounds: number;
  /** Updates that were not taken in: how many, by node and failure code. */
  readonly refusals: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Nodes that the selection hardly ever lets in. */
  readonly starved: readonly string[];
}

export interface LiveOpenRound {
  readonly round: number;
  /** Real time left. */
  readonly deadlineInSeconds: number;
  /** Nodes whose updates are here. */
  readonly reported: readonly string[];
}

export interface LiveRound {
  /** From 1. */
  readonly round: number;
  /** The last trial before it. */
  readonly trial: number;
  readonly state: "averaged" | "skipped";
  /** Why it was skipped. */
  readonly reason: string | null;
  /** Of the global model. */
  readonly modelBytes: number;
  /** [m] */
  readonly members: readonly LiveRoundMember[];
}

export interface LiveRoundMember {
  readonly node: string;
  /** Whether its model was averaged. */
  readonly took: boolean;
  /** 0 of one that sent none */
  readonly uploadBytes: number;
  /** Of its learner since the round before; null when it sent none. */
  readonly updates: number | null;
  /** Un-penalised, by network; null for one that is not finite. */
  readonly losses: Readonly<Record<string, number | null>>;
  /** λ by network until the next round. */
  readonly proximalWeights: Readonly<Record<string, number>>;
}

/** One task's life, as the dashboard is sent it when it asks. */
export interface LiveTrace {
  readonly task: string;
  readonly trial: number;
  /** Those that have the task. */
  readonly trials: readonly number[];
  /** In the order of time. */
  readonly events: readonly TraceEvent[];
}

/** One trial of a policy that learns. */
export interface LiveEpoch {
  readonly policy: string;
  readonly trial: number;
  /** [m] Reward per task; null of a community without tasks. */
  readonly rewardPerTask: readonly (number | null)[];
}
