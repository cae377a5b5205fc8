import type { TopLevelSpec } from "vega-lite";
import { type LoopAxis, shownValue } from "../loop-axis.ts";
import { type SweepMetric, sweepMetrics } from "../sweep-metrics.ts";
import type { SweepRow } from "../sweep-rows.ts";
import { dodge } from "./dodge.ts";
import { figurePoint } from "./figure-points.ts";
import { policyLegend } from "./legend.ts";
import { type Panel, page, panelLabel, panelWidth } from "./page.ts";
import { policyScales } from "./policy-scales.ts";
import { orderedPolicies } from "./policy-styles.ts";

const metrics: readonly SweepMetric[] = [
  sweepMetrics.rewardPerEpoch,
  sweepMetrics.successRatio,
  sweepMetrics.energyJoules,
  sweepMetrics.waitingSeconds,
];

const grid = { columns: 2, yAxisWidth: 46 };
const panelHeight = 112;
/** Between the first and last value and the ends of the axis. */
const sidePadding = 10;
const linear = { type: "linear", zero: false } as const;
const logarithmic = { type: "log" } as const;
const errorBarWidth = 0.7;

/**
 * Four panels over a numeric loop variable, a line per policy with 95 % Student-t error bars, as in Figs. 8 and 9.
 *
 * @param rows of one community, one row per policy and value
 * @param note the line beneath
 */
export const lineFigure = (rows: readonly SweepRow[], axis: LoopAxis, note: string): TopLevelSpec => {
  const policies = orderedPolicies(rows.map(({ policy }) => policy));
  const sorted = [...rows].sort(
    (a, b) => policies.indexOf(a.policy) - policies.indexOf(b.policy) || positionOf(a, axis) - positionOf(b, axis),
  );
  refuseRepeated(sorted, axis);
  const panels = metrics.map((metric, index) => linePanel(sorted, policies, axis, metric, index));
  return page([policyLegend(policies, grid)], panels, grid, note);
};

const linePanel = (
  rows: readonly SweepRow[],
  policies: readonly string[],
  axis: LoopAxis,
  metric: SweepMetric,
  index: number,
): Panel => {
  const positions = [...new Set(rows.map((row) => positionOf(row, axis)))].sort((a, b) => a - b);
  const place = dodge(positions, panelWidth(grid) - 2 * sidePadding, axis.scale);
  const values = rows.flatMap((row) => {
    const point = figurePoint(row[metric.key], metric);
    const x = place(positionOf(row, axis), policies.indexOf(row.policy), policies.length);
    return point === undefined ? [] : [{ policy: row.policy, x, ...point }];
  });
  const { colour, fill, shape, dash } = policyScales(policies);
  const x = {
    field: "x",
    type: "quantitative",
    title: axis.title,
    scale: { nice: false, padding: sidePadding, ...(axis.scale === "log" ? logarithmic : linear) },
    axis: { format: ".12~g", grid: false, ...(positions.length <= 8 ? { values: positions } : {}) },
  } as const;
  const y = (field: "mean" | "low" | "high") =>
    ({
      field,
      type: "quantitative",
      title: metric.title,
      scale: { nice: 5, zero: metric.unit !== "ratio" && metric.limits !== undefined },
    }) as const;
  const cap = { type: "tick", orient: "horizontal", size: 4, thickness: errorBarWidth, opacity: 1 } as const;
  return {
    width: panelWidth(grid),
    height: panelHeight,
    data: { values },
    layer: [
      panelLabel(index, grid),
      {
        mark: { type: "rule", strokeWidth: errorBarWidth },
        encoding: { x, y: y("low"), y2: { field: "high" }, color: colour },
      },
      { mark: cap, encoding: { x, y: y("low"), color: colour } },
      { mark: cap, encoding: { x, y: y("high"), color: colour } },
      { mark: { type: "line", strokeWidth: 1.2 }, encoding: { x, y: y("mean"), color: colour, strokeDash: dash } },
      {
        mark: { type: "point", strokeWidth: 1, size: 26, opacity: 1 },
        encoding: { x, y: y("mean"), stroke: colour, fill, shape },
      },
    ],
  };
};

const positionOf = ({ policy, variables }: SweepRow, axis: LoopAxis): number => {
  const value = variables[axis.variable];
  if (typeof value !== "number") {
    throw new RangeError(`Expected a number as ${axis.variable} of ${policy}, got ${String(value)}`);
  }
  return shownValue(axis, value) as number;
};

const refuseRepeated = (sorted: readonly SweepRow[], axis: LoopAxis): void => {
  for (const [index, row] of sorted.entries()) {
    const before = sorted[index - 1];
    if (before?.policy === row.policy && positionOf(before, axis) === positionOf(row, axis)) {
      throw new RangeError(`Expected one row per policy and ${axis.variable}, got two of ${row.policy}`);
    }
  }
};
