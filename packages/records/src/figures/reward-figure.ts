import type { TopLevelSpec } from "vega-lite";
import type { ResultRow } from "../results.ts";
import { ink, type Panel, page, panelLabel, panelWidth } from "./page.ts";
import { orderedPolicies, policyStyle } from "./policy-styles.ts";

const yAxisWidth = 40;
const panelHeight = 112;

/**
 * A panel for each community with a bar for each policy's reward per task and its 95 % Student-t interval, as in Fig. 11.
 *
 * @param rows of a run
 * @param note the line beneath
 */
export const rewardFigure = (rows: readonly ResultRow[], note: string): TopLevelSpec => {
  const communities = [...new Set(rows.map(({ community }) => community))].filter((name) => name !== "all");
  const grid = { columns: Math.max(communities.length, 1), yAxisWidth };
  const policies = orderedPolicies(rows.map(({ policy }) => policy));
  const panels = communities.map((community, index): Panel => {
    const values = rows.flatMap((row) => {
      const { mean, halfWidth } = row.reward;
      if (row.community !== community || mean === null) return [];
      const { name, colour } = policyStyle(row.policy);
      return [{ name, colour, mean, low: mean - (halfWidth ?? 0), high: mean + (halfWidth ?? 0) }];
    });
    const x = {
      field: "name",
      type: "nominal",
      title: null,
      sort: policies.map((policy) => policyStyle(policy).name),
      axis: { labelAngle: -45, labelOverlap: false, labelLimit: 60, ticks: false, grid: false, orient: "bottom" },
    } as const;
    const y = (field: "mean" | "low" | "high") =>
      ({ field, type: "quantitative", title: `${community}: reward per task`, scale: { nice: 5 } }) as const;
    const colour = { field: "colour", type: "nominal", scale: null, legend: null } as const;
    const cap = { type: "tick", orient: "horizontal", size: 3, thickness: 0.6, color: ink, opacity: 1 } as const;
    return {
      width: panelWidth(grid),
      height: panelHeight,
      data: { values },
      layer: [
        panelLabel(index, grid),
        {
          mark: { type: "bar", fillOpacity: 0.65, strokeWidth: 0.6 },
          encoding: { x, y: y("mean"), fill: colour, stroke: colour },
        },
        { mark: { type: "rule", strokeWidth: 0.6, color: ink }, encoding: { x, y: y("low"), y2: { field: "high" } } },
        { mark: cap, encoding: { x, y: y("low") } },
        { mark: cap, encoding: { x, y: y("high") } },
      ],
    };
  });
  return page([], panels, grid, note);
};
