import type { TopLevelSpec } from "vega-lite";
import { type LoopAxis, shownValue } from "../loop-axis.ts";
import { type SweepMetric, sweepMetrics } from "../sweep-metrics.ts";
import type { SweepRow } from "../sweep-rows.ts";
import { barPanel } from "./bar-panel.ts";
import { figurePoint } from "./figure-points.ts";
import { shadeLegend } from "./legend.ts";
import { page } from "./page.ts";
import { orderedPolicies } from "./policy-styles.ts";
import { tint } from "./tint.ts";

const metrics: readonly SweepMetric[] = [
  sweepMetrics.successRatio,
  sweepMetrics.energyJoules,
  sweepMetrics.waitingSeconds,
];

/**
 * Three panels with a bar per policy and 95 % Student-t error bars, as in Fig. 7; with an axis, a bar per policy and
 * loop value, darker from value to value.
 *
 * @param rows of one community, one row per policy, or per policy and value of the axis
 * @param note the line beneath
 */
export const barFigure = (rows: readonly SweepRow[], axis: LoopAxis | undefined, note: string): TopLevelSpec => {
  const groups = [...new Set(rows.map((row) => groupOf(row, axis)))];
  const cells = new Set(rows.map((row) => JSON.stringify([row.policy, groupOf(row, axis)])));
  if (cells.size < rows.length) {
    throw new RangeError(`Expected ${cells.size} rows, one per policy and loop value, got ${rows.length}`);
  }
  const policies = orderedPolicies(rows.map(({ policy }) => policy));
  const grid = { columns: 3, yAxisWidth: 40, policies, groups };
  const panels = metrics.map((metric, index) => {
    const bars = rows.flatMap((row) => {
      const point = figurePoint(row[metric.key], metric);
      return point === undefined ? [] : [{ policy: row.policy, group: groupOf(row, axis), ...point }];
    });
    return barPanel(bars, index, metric.title, grid);
  });
  const entries = groups.map((label, index) => ({ label, shade: tint("#000000", index, groups.length) }));
  return page(axis === undefined ? [] : [shadeLegend(axis.title, entries, grid)], panels, grid, note);
};

const groupOf = ({ variables }: SweepRow, axis: LoopAxis | undefined): string =>
  axis === undefined ? "" : String(shownValue(axis, variables[axis.variable] ?? ""));
