import type { Journals } from "./reconcile.ts";
import type { TrialSums } from "./results.ts";
import { studentQuantile } from "./statistics.ts";

/** What a policy that learns live has gained in a run: its last trials against its first ones. */
export interface LearningGain {
  readonly policy: string;
  /** Reward per task, means over its first and its last `n` trials. */
  readonly first: number;
  readonly last: number;
  readonly gain: number;
  /** Of the gain's 95 % interval (Welch). */
  readonly halfWidth: number;
  /** A tenth of its trials, or twenty where that is more, but a third at most. */
  readonly n: number;
}

/** From fewer trials nothing is told. */
const fewest = 6;
/** Trials at each end. Agents learn most within some dozens: most of a third of a long run would be what has learned. */
const trialsAtEachEnd = (trials: number): number =>
  Math.min(Math.floor(trials / 3), Math.max(20, Math.floor(trials / 10)));

/** Policies that learned while the run lasted. */
export const learnedLive = (journals: Journals): string[] => [
  ...new Set([...journals.values()].flat().flatMap((record) => (record.kind === "learning" ? [record.policy] : []))),
];

/**
 * The gains of the policies that learned in a run, communities together; none for those with a handful of trials.
 *
 * @param sums in the order of the schedule: a trial that was repeated has a later number than its place
 */
export const learningGains = (journals: Journals, sums: readonly TrialSums[]): LearningGain[] => {
  return learnedLive(journals).flatMap((policy) => {
    const own = sums.filter((sum) => sum.policy === policy);
    const numbers = new Set(own.map(({ trial }) => trial));
    const rewards = [...numbers].flatMap((number) => {
      const parts = own.filter(({ trial }) => trial === number);
      const tasks = parts.reduce((total, part) => total + part.tasks, 0);
      return tasks === 0 ? [] : [parts.reduce((total, part) => total + part.reward, 0) / tasks];
    });
    if (rewards.length < fewest) return [];
    const n = trialsAtEachEnd(rewards.length);
    const [first, last] = [momentsOf(rewards.slice(0, n)), momentsOf(rewards.slice(-n))];
    const [a, b] = [first.variance / n, last.variance / n];
    // Welch and Satterthwaite: what learned has another spread than what had not.
    const freedom = a + b === 0 ? 2 * (n - 1) : ((a + b) ** 2 * (n - 1)) / (a ** 2 + b ** 2);
    const halfWidth = studentQuantile(0.975, freedom) * Math.sqrt(a + b);
    return [{ policy, first: first.mean, last: last.mean, gain: last.mean - first.mean, halfWidth, n }];
  });
};

const momentsOf = (values: readonly number[]): { readonly mean: number; readonly variance: number } => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, variance };
};

/** One line for each policy. */
export const learningGainText = (gains: readonly LearningGain[]): string[] =>
  gains.map(({ policy, first, last, gain, halfWidth, n }) => {
    const sure = Math.abs(gain) > halfWidth ? "" : ", which may be none";
    const means = `${first.toFixed(3)} in its first ${n} trials, ${last.toFixed(3)} in its last ${n}`;
    return `${policy} learned live: reward per task ${means}; ${gain < 0 ? "" : "+"}${gain.toFixed(3)} ± ${halfWidth.toFixed(3)}${sure}`;
  });
