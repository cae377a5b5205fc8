import { quantile } from "../lease-quality.ts";
import type { Divergence } from "./divergences.ts";
import { amountOf, type Measure, measures } from "./gaps.ts";
import type { Cause } from "./origin.ts";

/** What a cause has to do with the difference between laboratory and simulator; the shares of all causes sum to it. */
export interface CauseRow {
  readonly cause: Cause;
  /** Tasks that differ for a cause of their own. */
  readonly firsts: number;
  /** Those, and the ones that differ since others did. */
  readonly tasks: number;
  /** Part of each measure's mean difference. */
  readonly share: Readonly<Record<Measure, number>>;
  /** Median of how much later than in theory the ends of the deciding tasks were; NaN where no end decided. */
  readonly lateSeconds: number;
}

/**
 * Sums by cause, the most frequent first and what merely took its time last.
 *
 * @param trials the tasks of each trial; every trial weighs the same, as in its mean
 */
export const causeRows = (trials: readonly (readonly Divergence[])[]): CauseRow[] => {
  const counted = trials.filter((tasks) => tasks.length > 0);
  const weighed = counted.flatMap((tasks) =>
    tasks.map((task) => ({ ...task, weight: 1 / (tasks.length * counted.length) })),
  );
  const rows = [...new Set(weighed.map(({ cause }) => cause))].map((cause): CauseRow => {
    const own = weighed.filter((task) => task.cause === cause);
    const share = Object.fromEntries(
      measures.map((measure) => [
        measure,
        own.reduce(
          (sum, { laboratory, simulator, weight }) =>
            sum + weight * (amountOf(laboratory, measure) - amountOf(simulator, measure)),
          0,
        ),
      ]),
    ) as Record<Measure, number>;
    return {
      cause,
      firsts: own.filter(({ isFirst }) => isFirst).length,
      tasks: own.length,
      share,
      lateSeconds: quantile(
        own.flatMap(({ lateSeconds }) => lateSeconds ?? []),
        0.5,
      ),
    };
  });
  return rows.sort((a, b) => Number(a.cause === "timing") - Number(b.cause === "timing") || b.tasks - a.tasks);
};
