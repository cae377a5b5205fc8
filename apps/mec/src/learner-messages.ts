// What a MEC and its learner's program say to each other.
import type { AgentSnapshot, AgentWeights, Losses, Proximal, Transition } from "@offloadlab/learning";
import type { Settings } from "@offloadlab/model";
import type { Deployment } from "@offloadlab/simulation";

/** What the program needs to start. */
export interface LearnerData {
  readonly deployment: Deployment;
  readonly world: Settings;
  readonly communityIndex: number;
  readonly engine: "onnx" | "tfjs";
}

/** What updates and transitions have come to since the last report that became a round's. */
export interface SinceRound {
  /** Sums, by network. */
  readonly losses: Losses;
  /** Updates that had a loss, by network: actors have not in each. */
  readonly counts: Losses;
  readonly updates: number;
  readonly absoluteReward: number;
  readonly rewards: number;
}

export const nothingSince: SinceRound = { losses: {}, counts: {}, updates: 0, absoluteReward: 0, rewards: 0 };

/** All that a learner goes on from in another process. */
export interface LearnerSnapshot {
  readonly agent: AgentSnapshot;
  readonly since: SinceRound;
}

export type LearnerRequest =
  | { readonly kind: "begin-epoch"; readonly epoch: number }
  | { readonly kind: "learn"; readonly transition: Transition; readonly updates: number }
  | { readonly kind: "report"; readonly id: number }
  | {
      readonly kind: "adopt";
      readonly id: number;
      readonly weights: AgentWeights;
      readonly proximal: Proximal | undefined;
      readonly startsAnew: boolean;
    }
  /** The proximal term alone. */
  | { readonly kind: "pull"; readonly id: number; readonly proximal: Proximal }
  /** What it has learned and remembers, once the updates that are due are done. */
  | { readonly kind: "snapshot"; readonly id: number }
  | { readonly kind: "restore"; readonly id: number; readonly snapshot: LearnerSnapshot }
  | { readonly kind: "close" };

export type LearnerAnswer =
  | { readonly kind: "ready" }
  /** After an update: the weights to act with from now on. */
  | { readonly kind: "learned"; readonly weights: AgentWeights; readonly losses: Losses }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown };
