import { ink, type PageGrid, type Panel, pageLeft, pageWidth, textSize } from "./page.ts";
import { policyScales } from "./policy-scales.ts";
import { type PolicyStyle, policyStyle } from "./policy-styles.ts";

const rowHeight = 12;
const sampleWidth = 24;
const mostPerRow = 7;

/**
 * A line with its point and its name for every policy, in as many rows as it needs.
 *
 * @param styleOf of lines that are no policies
 */
export const policyLegend = (
  policies: readonly string[],
  grid: PageGrid,
  styleOf: (policy: string) => PolicyStyle = policyStyle,
): Panel => {
  const rows = Math.ceil(policies.length / mostPerRow);
  const perRow = Math.ceil(policies.length / rows);
  const entryWidth = Math.min(90, pageWidth / perRow);
  const left = pageLeft(grid) + (pageWidth - perRow * entryWidth) / 2;
  const values = policies.map((policy, index) => {
    const x = left + (index % perRow) * entryWidth + 4;
    const y = (Math.floor(index / perRow) + 0.5) * rowHeight;
    const { name } = styleOf(policy);
    return { policy, name, x, middle: x + sampleWidth / 2, end: x + sampleWidth, text: x + sampleWidth + 4, y };
  });
  const { colour, fill, shape, dash } = policyScales(policies, styleOf);
  const position = { type: "quantitative", scale: null, axis: null } as const;
  const y = { field: "y", ...position };
  return {
    width: pageWidth + pageLeft(grid),
    height: rows * rowHeight,
    data: { values },
    layer: [
      {
        mark: { type: "rule", strokeWidth: 1.2 },
        encoding: { x: { field: "x", ...position }, x2: { field: "end" }, y, color: colour, strokeDash: dash },
      },
      {
        mark: { type: "point", strokeWidth: 1, size: 26, opacity: 1 },
        encoding: { x: { field: "middle", ...position }, y, stroke: colour, fill, shape },
      },
      {
        mark: { type: "text", align: "left", baseline: "middle", dy: 1, fontSize: textSize, color: ink },
        encoding: { x: { field: "text", ...position }, y, text: { field: "name" } },
      },
    ],
  };
};

/** A title, and a square of a shade with its label for every value. */
export const shadeLegend = (
  title: string,
  entries: readonly { label: string; shade: string }[],
  grid: PageGrid,
): Panel => {
  const longest = Math.max(...entries.map(({ label }) => label.length));
  const entryWidth = Math.max(44, textSize * 0.55 * longest + 18);
  const titleWidth = textSize * 0.55 * title.length + 10;
  const left = pageLeft(grid) + (pageWidth - titleWidth - entries.length * entryWidth) / 2;
  const values = entries.map(({ label, shade }, index) => {
    const x = left + titleWidth + index * entryWidth + 5;
    return { label, shade, x, text: x + 8 };
  });
  const position = { type: "quantitative", scale: null, axis: null } as const;
  return {
    width: pageWidth + pageLeft(grid),
    height: rowHeight,
    layer: [
      {
        data: { values },
        mark: { type: "point", shape: "square", size: 64, opacity: 1, stroke: ink, strokeWidth: 0.5 },
        encoding: {
          x: { field: "x", ...position },
          y: { value: rowHeight / 2 },
          fill: { field: "shade", type: "nominal", scale: null },
        },
      },
      {
        data: { values },
        mark: { type: "text", align: "left", baseline: "middle", dy: 1, fontSize: textSize, color: ink },
        encoding: { x: { field: "text", ...position }, y: { value: rowHeight / 2 }, text: { field: "label" } },
      },
      {
        data: { values: [{}] },
        mark: { type: "text", align: "left", baseline: "middle", dy: 1, fontSize: textSize, color: ink },
        encoding: { x: { value: left }, y: { value: rowHeight / 2 }, text: { value: title } },
      },
    ],
  };
};
