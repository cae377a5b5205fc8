import type { Actor } from "./actor.ts";
import type { Rows } from "./network.ts";
import type { Transition } from "./replay-buffer.ts";
import type { LearnerSettings } from "./settings.ts";

/** Networks of an agent that a federation averages, flat, by name. */
export type AgentWeights = Readonly<Record<string, Float32Array>>;

/** Losses of one update by network, without proximal terms. */
export type Losses = Readonly<Record<string, number>>;

/** What draws an agent's networks to global ones, by the names of its weights. */
export interface Proximal {
  /** λ; 0 draws to nothing. */
  readonly lambdas: Readonly<Record<string, number>>;
  /** θ_f */
  readonly weights: AgentWeights;
}

/** Everything that an agent needs to go on where it was: arrays and numbers by name. */
export interface AgentSnapshot {
  readonly arrays: Readonly<Record<string, Float32Array>>;
  readonly counts: Readonly<Record<string, number>>;
}

/** A learner: it acts on rows of states, remembers what came of it, and learns from what it remembers. */
export interface Agent {
  readonly shape: Rows;
  readonly settings: LearnerSettings;
  /**
   * Begins an epoch with random draws of its own.
   *
   * Everything random of an epoch comes from there: a snapshot between epochs is all that it takes to go on to the same
   * bytes.
   */
  beginEpoch(epoch: number): void;
  /** What it thinks best. @param action [rows, actions], filled */
  act(state: Float32Array, action: Float32Array): void;
  /** The same with exploration. @param action [rows, actions], filled */
  explore(state: Float32Array, action: Float32Array): void;
  /** Anything. @param action [rows, actions], filled */
  actRandomly(action: Float32Array): void;
  /** What decides in it, as it is now; its weights are a copy. */
  readonly actor: Actor;
  /** Remembers a transition, unless a number of it is not finite: what a diverged learner has done teaches nothing. */
  store(transition: Transition): void;
  /** Learns from a batch of what is stored. */
  update(): Promise<Losses>;
  /** Copies of what is federated, and how it is replaced; targets and moments stay the agent's own. */
  weights: AgentWeights;
  /**
   * Begins anew from weights: targets equal them, moments and counts of updates are 0. What it remembers stays.
   *
   * @throws RangeError when they are of other networks
   */
  startFrom(weights: AgentWeights): void;
  /** What its networks are drawn to from the next update on; nothing without it. */
  proximal: Proximal | undefined;
  snapshot(): AgentSnapshot;
  restore(snapshot: AgentSnapshot): void;
  close(): Promise<void>;
}
