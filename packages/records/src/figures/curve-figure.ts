import type { TopLevelSpec } from "vega-lite";
import type { CurvePoint } from "../learning-curves.ts";
import { policyLegend } from "./legend.ts";
import { type Panel, page, panelLabel, panelWidth } from "./page.ts";
import { policyScales } from "./policy-scales.ts";
import { type PolicyStyle, policyStyle } from "./policy-styles.ts";

/** A panel of learning curves over epochs. */
export interface CurvePanel {
  /** Of its y axis. */
  readonly title: string;
  readonly points: readonly CurvePoint[];
  /** What no mean can exceed; a band is drawn no further. */
  readonly limits?: readonly [number, number];
  /** Means of policies that do not learn, drawn across the panel. */
  readonly levels?: readonly { readonly policy: string; readonly mean: number }[];
}

const grid = { columns: 2, yAxisWidth: 46 };
const panelHeight = 128;
/** Points along a curve that carry its symbol, so that lines can be told apart without colours. */
const symbolsPerCurve = 8;

/**
 * Learning curves with 95 % Student-t bands over trainings, as in Figs. 5 and 6.
 *
 * @param lines in the order of the legend; `lineOf` says to which of them a point belongs
 * @param note the line beneath
 */
export const curveFigure = (
  panels: readonly CurvePanel[],
  lines: readonly string[],
  lineOf: (point: CurvePoint) => string,
  note: string,
  styleOf: (line: string) => PolicyStyle = policyStyle,
): TopLevelSpec => {
  const drawn = panels.map((panel, index) => curvePanel(panel, lines, lineOf, index, styleOf));
  return page([policyLegend(lines, grid, styleOf)], drawn, grid, note);
};

const curvePanel = (
  { title, points, limits, levels = [] }: CurvePanel,
  lines: readonly string[],
  lineOf: (point: CurvePoint) => string,
  index: number,
  styleOf: (line: string) => PolicyStyle,
): Panel => {
  const [lowest, highest] = limits ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const values = points.flatMap((point) => {
    const { mean, halfWidth } = point.estimate;
    if (mean === null) return [];
    const half = halfWidth ?? 0;
    const [low, high] = [Math.max(mean - half, lowest), Math.min(mean + half, highest)];
    return [{ policy: lineOf(point), epoch: point.epoch, mean, low, high }];
  });
  const epochs = [...new Set(values.map(({ epoch }) => epoch))].sort((a, b) => a - b);
  const [first = 0, last = 0] = [epochs[0], epochs.at(-1)];
  // Each line has its symbols at other epochs than the next one.
  const step = Math.max(1, Math.round(epochs.length / symbolsPerCurve));
  const symbols = values.filter(({ policy, epoch }) => {
    const shift = Math.round((lines.indexOf(policy) * step) / lines.length);
    return (epoch - first) % step === shift % step;
  });
  const constant = levels.flatMap(({ policy, mean }) => [first, last].map((epoch) => ({ policy, epoch, mean })));
  const { colour, fill, shape, dash } = policyScales(lines, styleOf);
  const x = {
    field: "epoch",
    type: "quantitative" as const,
    title: "Epoch",
    scale: { nice: false, domain: [first, last] as number[] },
    axis: { grid: false, tickMinStep: 1 },
  };
  const y = (field: "mean" | "low" | "high") =>
    ({ field, type: "quantitative", title, scale: { nice: 5, zero: false } }) as const;
  return {
    width: panelWidth(grid),
    height: panelHeight,
    layer: [
      panelLabel(index, grid),
      {
        data: { values },
        mark: { type: "area", opacity: 0.16 },
        encoding: { x, y: y("low"), y2: { field: "high" }, color: colour },
      },
      {
        data: { values: constant },
        mark: { type: "line", strokeWidth: 0.9 },
        encoding: { x, y: y("mean"), color: colour, strokeDash: dash },
      },
      {
        data: { values },
        mark: { type: "line", strokeWidth: 1.1 },
        encoding: { x, y: y("mean"), color: colour, strokeDash: dash },
      },
      {
        data: { values: symbols },
        mark: { type: "point", strokeWidth: 0.9, size: 20, opacity: 1 },
        encoding: { x, y: y("mean"), stroke: colour, fill, shape },
      },
    ],
  };
};
