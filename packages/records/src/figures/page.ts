import type { Config, TopLevelSpec } from "vega-lite";

/** A view of a figure, alone or with others. */
export type Panel = Extract<TopLevelSpec, { vconcat: unknown }>["vconcat"][number];

/** A unit in a figure is a point on paper. */
export const pointsPerInch = 72;

/** Both columns of an IEEE Transactions page, 7.16 inches. */
export const pageWidth = Math.floor(7.16 * pointsPerInch);

export const textSize = 8;
/** Of the line that says where a figure comes from. */
const noteSize = 6;

/** Colour of axes and text. */
export const ink = "#222222";

/** How panels stand on the page. */
export interface PageGrid {
  readonly columns: number;
  /** Space for the labels and the title of a y axis, the same in all panels, so that they stand in line. */
  readonly yAxisWidth: number;
}

const panelGap = 14;

/** Width of a panel without its y axis. */
export const panelWidth = ({ columns, yAxisWidth }: PageGrid): number =>
  Math.floor((pageWidth - (columns - 1) * panelGap) / columns) - yAxisWidth;

/** `(a)`, `(b)`... above the upper left corner of a panel's y axis, as a layer of the panel. */
export const panelLabel = (index: number, { yAxisWidth }: PageGrid) =>
  ({
    data: { values: [{}] },
    mark: { type: "text", align: "left", baseline: "alphabetic", fontWeight: "bold", fontSize: textSize, color: ink },
    encoding: {
      text: { value: `(${String.fromCharCode("a".charCodeAt(0) + index)})` },
      x: { value: -yAxisWidth },
      y: { value: -7 },
    },
  }) as const;

/**
 * Where the page begins in the coordinates of legend and note: Vega sets views that stand below each other by the left
 * edges of their plots, and the first panel has its y axis to the left of that.
 */
export const pageLeft = ({ yAxisWidth }: PageGrid): number => -yAxisWidth;

/** A figure as wide as a page: legend on top, panels in rows, and beneath them where it comes from. */
export const page = (
  legend: readonly Panel[],
  panels: readonly Panel[],
  grid: PageGrid,
  note: string,
): TopLevelSpec => ({
  $schema: "https://vega.github.io/schema/vega-lite/v6.json",
  config: configOf(grid),
  spacing: 8,
  vconcat: [
    ...legend,
    { columns: grid.columns, spacing: { column: panelGap, row: 10 }, concat: [...panels] },
    noteLine(note, grid),
  ],
});

const noteLine = (note: string, grid: PageGrid): Panel => ({
  width: pageWidth + pageLeft(grid),
  height: noteSize + 1,
  data: { values: [{}] },
  mark: { type: "text", fontSize: noteSize, limit: pageWidth, align: "left", baseline: "alphabetic", color: "#555555" },
  encoding: { text: { value: note }, x: { value: pageLeft(grid) }, y: { value: noteSize - 1 } },
});

const configOf = ({ yAxisWidth }: PageGrid): Config => ({
  // Arimo has the widths of Arial and Helvetica, so a program without Arimo lays the text out alike.
  font: "Arimo, Arial, Helvetica, sans-serif",
  background: "white",
  // Vega measures text without what rises above its letters or hangs below them.
  padding: { left: 0, right: 0, top: 3, bottom: 2 },
  view: { stroke: null },
  axis: {
    labelFontSize: textSize,
    titleFontSize: textSize,
    titleFontWeight: "normal",
    labelColor: ink,
    titleColor: ink,
    domainColor: ink,
    domainWidth: 0.6,
    tickColor: ink,
    tickSize: 3,
    tickWidth: 0.6,
    labelPadding: 2,
    titlePadding: 3,
    gridColor: "#e4e4e4",
    gridWidth: 0.5,
    // Half a point is a visible shift on paper; it is meant for a screen's pixels.
    translate: 0,
    tickRound: false,
  },
  axisY: {
    minExtent: yAxisWidth - textSize - 6,
    maxExtent: yAxisWidth - textSize - 6,
    tickCount: 5,
    labelOffset: 0.5,
    labelExpr: "replace(datum.label, regexp(',', 'g'), '')",
  },
});
