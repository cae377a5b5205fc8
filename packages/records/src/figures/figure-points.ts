import type { SweepMetric } from "../sweep-metrics.ts";
import type { SweepEstimate } from "../sweep-rows.ts";

/** A mean with the ends of its interval, as they are drawn; both ends are the mean where there is no interval. */
export interface FigurePoint {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/**
 * What a figure draws of a metric's estimate; undefined where n = 0.
 *
 * Differs from a table, which prints half a Student-t interval's width as it is: an interval that is symmetric about a mean
 * near what no mean can exceed would be drawn beyond it.
 */
export const figurePoint = (
  { mean, interval }: Pick<SweepEstimate, "mean" | "interval">,
  { limits }: Pick<SweepMetric, "limits">,
): FigurePoint | undefined => {
  if (mean === null) return undefined;
  const [lowest, highest] = limits ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const [low, high] = interval ?? [mean, mean];
  return { mean, low: Math.max(low, lowest), high: Math.min(high, highest) };
};
