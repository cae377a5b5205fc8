import type { Outcome } from "@offloadlab/model";
import type { AnswerCounts } from "@offloadlab/policies";

/** What a loop variable is set to. */
export type LoopValue = number | string | boolean;

/** What a sweep keeps of one epoch of one community: a line of its Parquet file. */
export interface EpochSums {
  /** From 1, the trial that simulated it. */
  readonly trial: number;
  readonly policy: string;
  /** From 1; the same repetition of every policy and every loop value has the same arrivals. */
  readonly repetition: number;
  /** Loop variables by name, in the manifest's order. */
  readonly variables: Readonly<Record<string, LoopValue>>;
  readonly community: string;
  /** From 1. */
  readonly epoch: number;
  /** What arrivals, sizes and work were drawn from. */
  readonly seed: number;
  readonly tasks: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly reward: number;
  readonly energyJoules: number;
  readonly waitingSeconds: number;
  /** Of a policy from outside: what became of its answers. */
  readonly answers?: AnswerCounts;
}

/** A mean over independent trials, with both of its 95 % intervals; null where n does not allow one. */
export interface SweepEstimate {
  readonly mean: number | null;
  /** Student-t. */
  readonly interval: readonly [number, number] | null;
  /** Percentiles of means of trials drawn with replacement. */
  readonly bootstrapInterval: readonly [number, number] | null;
  readonly n: number;
}

/** One line of a sweep's table: a policy at one combination of loop values, in one community or in `all`. */
export interface SweepRow {
  readonly policy: string;
  readonly variables: Readonly<Record<string, LoopValue>>;
  readonly community: string;
  readonly successRatio: SweepEstimate;
  /** Per task, failed ones included. */
  readonly energyJoules: SweepEstimate;
  /** Per task, failed ones included. */
  readonly waitingSeconds: SweepEstimate;
  readonly rewardPerTask: SweepEstimate;
  /** Per community and epoch, undiscounted. */
  readonly rewardPerEpoch: SweepEstimate;
}
