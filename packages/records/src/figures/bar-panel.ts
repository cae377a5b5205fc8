import type { FigurePoint } from "./figure-points.ts";
import { ink, type PageGrid, type Panel, panelLabel, panelWidth } from "./page.ts";
import { policyStyle } from "./policy-styles.ts";
import { tint } from "./tint.ts";

const panelHeight = 112;

/** A mean with its interval. */
export interface Bar extends FigurePoint {
  readonly policy: string;
  /** One of the panel's groups. */
  readonly group: string;
}

/** What the panels of a figure have in common. */
export interface BarGrid extends PageGrid {
  /** From left to right. */
  readonly policies: readonly string[];
  /** Of the bars of one policy, from left to right and darker from one to the next; a single one has no name. */
  readonly groups: readonly string[];
}

/**
 * A panel with a bar for each policy and group, and 95 % Student-t error bars.
 *
 * @param index of the panel, from 0
 * @param title of the y axis
 */
export const barPanel = (bars: readonly Bar[], index: number, title: string, grid: BarGrid): Panel => {
  const { policies, groups } = grid;
  const values = bars.map(({ policy, group, ...point }) => {
    const { name, colour } = policyStyle(policy);
    return { name, group, colour, fill: tint(colour, groups.indexOf(group), groups.length), ...point };
  });
  const x = {
    field: "name",
    type: "nominal",
    title: null,
    sort: policies.map((policy) => policyStyle(policy).name),
    axis: { labelAngle: -45, labelOverlap: false, labelLimit: 60, ticks: false, grid: false, orient: "bottom" },
    scale: { paddingInner: groups.length > 1 ? 0.25 : 0.35, paddingOuter: 0.2 },
  } as const;
  const xOffset = { field: "group", type: "nominal", sort: [...groups], scale: { paddingInner: 0.08 } } as const;
  const y = (field: "mean" | "low" | "high") => ({ field, type: "quantitative", title, scale: { nice: 5 } }) as const;
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
