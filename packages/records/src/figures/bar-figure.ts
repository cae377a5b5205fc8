import type { TopLevelSpec } from "vega-lite";
import { type LoopAxis, shownValue } from "../loop-axis.ts";
import { type SweepMetric, sweepMetrics } from "../sweep-metrics.ts";
import type { SweepRow } from "../sweep-rows.ts";
import { figurePoint } from "./figure-points.ts";
import { shadeLegend } from "./legend.ts";
import { ink, type Panel, page, panelLabel, panelWidth } from "./page.ts";
import { orderedPolicies, policyStyle } from "./policy-styles.ts";
import { tint } from "./tint.ts";

const metrics: readonly SweepMetric[] = [
  sweepMetrics.successRatio,
  sweepMetrics.energyJoules,
  sweepMetrics.waitingSeconds,
];

const grid = { columns: 3, yAxisWidth: 40 };
const panelHeight = 112;

/**
 * Three panels with a bar per policy and 95 % Student-t error bars, as in Fig. 7; with an axis, a bar per policy and
 * loop value, darker from value to value.
 *
 * @param rows of one community, one row per policy, or per policy and value of the axis
 * @param note the line beneath
 */
export const barFigure = (rows: readonly SweepRow[], axis: LoopAxis | undefined, note: string): TopLevelSpec => {
  const policies = orderedPolicies(rows.map(({ policy }) => policy));
  const groups = [...new Set(rows.map((row) => groupOf(row, axis)))];
  const cells = new Set(rows.map((row) => JSON.stringify([row.policy, groupOf(row, axis)])));
  if (cells.size < rows.length) {
    throw new RangeError(`Expected ${cells.size} rows, one per policy and loop value, got ${rows.length}`);
  }
  const panels = metrics.map((metric, index) => barPanel(rows, policies, groups, axis, metric, index));
  const entries = groups.map((label, index) => ({ label, shade: tint("#000000", index, groups.length) }));
  return page(axis === undefined ? [] : [shadeLegend(axis.title, entries, grid)], panels, grid, note);
};

const barPanel = (
  rows: readonly SweepRow[],
  policies: readonly string[],
  groups: readonly string[],
  axis: LoopAxis | undefined,
  metric: SweepMetric,
  index: number,
): Panel => {
  const values = rows.flatMap((row) => {
    const point = figurePoint(row, metric);
    if (point === undefined) return [];
    const group = groupOf(row, axis);
    const { name, colour } = policyStyle(row.policy);
    return [{ name, group, colour, fill: tint(colour, groups.indexOf(group), groups.length), zero: 0, ...point }];
  });
  const x = {
    field: "name",
    type: "nominal",
    title: null,
    sort: policies.map((policy) => policyStyle(policy).name),
    axis: { labelAngle: -45, labelOverlap: false, labelLimit: 60, ticks: false, grid: false },
    scale: { paddingInner: groups.length > 1 ? 0.25 : 0.35, paddingOuter: 0.2 },
  } as const;
  const xOffset = { field: "group", type: "nominal", sort: [...groups], scale: { paddingInner: 0.08 } } as const;
  const y = (field: "mean" | "low" | "high") =>
    ({ field, type: "quantitative", title: metric.title, scale: { nice: 5 } }) as const;
  const cap = { type: "tick", orient: "horizontal", size: 3, thickness: 0.6, color: ink, opacity: 1 } as const;
  const colour = (field: "colour" | "fill") => ({ field, type: "nominal", scale: null, legend: null }) as const;
  return {
    width: panelWidth(grid),
    height: panelHeight,
    data: { values },
    layer: [
      panelLabel(index, grid),
      {
        mark: { type: "bar", strokeWidth: 0.6 },
        encoding: { x, xOffset, y: y("mean"), fill: colour("fill"), stroke: colour("colour") },
      },
      {
        mark: { type: "rule", strokeWidth: 0.6, color: ink },
        encoding: { x, xOffset, y: y("low"), y2: { field: "high" } },
      },
      { mark: cap, encoding: { x, xOffset, y: y("low") } },
      { mark: cap, encoding: { x, xOffset, y: y("high") } },
    ],
  };
};

const groupOf = ({ variables }: SweepRow, axis: LoopAxis | undefined): string =>
  axis === undefined ? "" : String(shownValue(axis, variables[axis.variable] ?? ""));
