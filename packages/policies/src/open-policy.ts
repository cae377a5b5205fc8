import type { Action, Observation } from "@offloadlab/model";
import type { Seconds } from "@offloadlab/units";

/** Why Fair decided a sub-slot in a policy's place. */
export const fallbackReasons = ["late", "unreachable", "refused", "malformed"] as const;
export type FallbackReason = (typeof fallbackReasons)[number];

/** What became of a policy's answers so far. */
export interface AnswerCounts {
  /** Sub-slots that it was asked to decide. */
  readonly asked: number;
  /** Answers that broke C4 or C5, or offloaded what cannot be, and were brought within them. */
  readonly adjusted: number;
  /** Sub-slots that Fair decided: no answer in time, none at all, a refusal, or one that makes no sense. */
  readonly fallbacks: Readonly<Record<FallbackReason, number>>;
  /** The first reason in words, undefined without any. */
  readonly firstProblem: string | undefined;
}

/** A policy that was opened from a file or an address, decides now or later, and is closed when it is done with. */
export interface OpenPolicy {
  readonly name: string;
  /**
   * Decides for all devices at once; the action it fills keeps C1, C4 and C5 whatever the policy answers.
   *
   * @param observation unchanged until the promise is fulfilled, if there is one
   * @param within how long it may take, real time, where the world does not wait: after that Fair decides
   */
  decide(observation: Observation, action: Action, within?: Seconds): void | Promise<void>;
  readonly answers: AnswerCounts;
  close(): Promise<void>;
}
