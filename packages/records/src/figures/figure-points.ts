import type { SweepMetric } from "../sweep-metrics.ts";
import type { SweepRow } from "../sweep-rows.ts";

/** A mean with the ends of its interval, as they are drawn; both ends are the mean where there is no interval. */
export interface FigurePoint {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** What a figure draws of a row's metric; undefined where n = 0. */
export const figurePoint = (row: SweepRow, { key, limits }: SweepMetric): FigurePoint | undefined => {
  const { mean, interval } = row[key];
  if (mean === null) return undefined;
  const [lowest, highest] = limits ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const [low, high] = interval ?? [mean, mean];
  return { mean, low: Math.max(low, lowest), high: Math.min(high, highest) };
};
