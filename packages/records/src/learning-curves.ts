import { type Estimate, estimate } from "./statistics.ts";
import type { TrialCurve } from "./sweep-folder.ts";
import type { LoopValue } from "./sweep-rows.ts";

/** What is written down after each epoch of a training. */
export type CurveMetric = "successRatio" | "energyJoules" | "waitingSeconds" | "reward";

/** How trainings of one kind did after an epoch: mean and 95 % Student-t interval over them. */
export interface CurvePoint {
  readonly policy: string;
  readonly variables: Readonly<Record<string, LoopValue>>;
  readonly epoch: number;
  readonly estimate: Estimate;
}

/**
 * The learning curve of each policy at each combination of loop values, over trainings.
 *
 * @param community its own curve, or the mean of all that have begun, `all`
 */
export const learningCurves = (curves: readonly TrialCurve[], metric: CurveMetric, community = "all"): CurvePoint[] => {
  const groups = new Map<string, TrialCurve[]>();
  for (const curve of curves) {
    const key = JSON.stringify([curve.policy, curve.variables]);
    groups.set(key, [...(groups.get(key) ?? []), curve]);
  }
  return [...groups.values()].flatMap((group) => {
    const { policy, variables } = group[0] as TrialCurve;
    const series = group.map((curve) => seriesOf(curve, metric, community));
    const epochs = [...new Set(series.flatMap((each) => [...each.keys()]))].sort((a, b) => a - b);
    return epochs.map((epoch) => {
      const values = series.flatMap((each) => each.get(epoch) ?? []);
      return { policy, variables, epoch, estimate: estimate(values) };
    });
  });
};

/** A training's values by epoch. */
const seriesOf = ({ records }: TrialCurve, metric: CurveMetric, community: string): Map<number, number> => {
  const own = records.filter((record) => community === "all" || record.community === community);
  const sums = new Map<number, { sum: number; n: number }>();
  for (const record of own) {
    const { sum, n } = sums.get(record.epoch) ?? { sum: 0, n: 0 };
    sums.set(record.epoch, { sum: sum + record[metric], n: n + 1 });
  }
  return new Map([...sums].map(([epoch, { sum, n }]) => [epoch, sum / n]));
};

/** Epochs that are averaged before a success rate counts as reached: one epoch has some 260 tasks, and luck. */
const windowEpochs = 3;

/**
 * After how many epochs of its own a training has reached a success rate: the last of the first three successive epochs
 * whose mean is that high. Undefined when it never was.
 *
 * @param community its own, or the mean of all, `all`
 */
export const epochsToReach = (curve: TrialCurve, successRatio: number, community = "all"): number | undefined => {
  const series = [...seriesOf(curve, "successRatio", community)].sort(([a], [b]) => a - b);
  const [[begun] = [0]] = series;
  for (let last = windowEpochs - 1; last < series.length; last += 1) {
    const window = series.slice(last - windowEpochs + 1, last + 1);
    const mean = window.reduce((sum, [, value]) => sum + value, 0) / windowEpochs;
    if (mean >= successRatio) return (series[last] as [number, number])[0] - begun;
  }
  return undefined;
};
