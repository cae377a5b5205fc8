import { isSuccess } from "@offloadlab/model";
import { type Estimate, estimate } from "../statistics.ts";
import type { TaskCourse } from "./course.ts";

/** What laboratory and simulator are compared by; each is a mean over tasks, failed ones included. */
export const measures = ["successRatio", "energyJoules", "waitingSeconds", "reward"] as const;
export type Measure = (typeof measures)[number];

/** How far a simulator may be from the laboratory: parts of success, parts of the laboratory's energy, seconds. */
const limits: Readonly<Record<Measure, ((laboratory: number) => number) | null>> = {
  successRatio: () => 0.03,
  energyJoules: (laboratory) => 0.05 * laboratory,
  waitingSeconds: () => 0.05,
  reward: null,
};

/** One measure in both worlds; means and 95 % intervals over trials. */
export interface Gap {
  readonly measure: Measure;
  readonly laboratory: Estimate;
  readonly simulator: Estimate;
  /** Laboratory less simulator, paired by trial. */
  readonly difference: Estimate;
  /** The same, once the simulator has the laboratory's latencies. */
  readonly differenceWithLatencies: Estimate;
  /** How large the difference may be; null when it may be any. */
  readonly limit: number | null;
  /** Whether it is no larger; null without a limit or a difference. */
  readonly isWithin: boolean | null;
}

/** A trial in all worlds: the laboratory's, the simulator's, and the simulator's with the laboratory's latencies. */
export interface TrialWorlds {
  readonly laboratory: readonly TaskCourse[];
  readonly simulator: readonly TaskCourse[];
  readonly withLatencies: readonly TaskCourse[];
}

/** What a task adds to the sum of a measure. */
export const amountOf = (task: TaskCourse, measure: Measure): number =>
  measure === "successRatio" ? Number(isSuccess(task.outcome)) : task[measure];

/** Compares the trials of one policy. */
export const gapsOf = (trials: readonly TrialWorlds[]): Gap[] => measures.map((measure) => gapOf(trials, measure));

const gapOf = (trials: readonly TrialWorlds[], measure: Measure): Gap => {
  const mean = (tasks: readonly TaskCourse[]): number =>
    tasks.reduce((sum, task) => sum + amountOf(task, measure), 0) / tasks.length;
  const over = (value: (trial: TrialWorlds) => number): Estimate =>
    estimate(trials.filter(({ laboratory }) => laboratory.length > 0).map(value));
  const laboratory = over((trial) => mean(trial.laboratory));
  const difference = over((trial) => mean(trial.laboratory) - mean(trial.simulator));
  const limit = laboratory.mean === null ? null : (limits[measure]?.(laboratory.mean) ?? null);
  return {
    measure,
    laboratory,
    simulator: over((trial) => mean(trial.simulator)),
    difference,
    differenceWithLatencies: over((trial) => mean(trial.laboratory) - mean(trial.withLatencies)),
    limit,
    isWithin: limit === null || difference.mean === null ? null : Math.abs(difference.mean) <= limit,
  };
};
