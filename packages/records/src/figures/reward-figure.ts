import type { TopLevelSpec } from "vega-lite";
import type { ResultRow } from "../results.ts";
import { shadeLegend } from "./legend.ts";
import { ink, type Panel, page, panelLabel, panelWidth } from "./page.ts";
import { orderedPolicies, policyStyle } from "./policy-styles.ts";
import { tint } from "./tint.ts";

const yAxisWidth = 40;
const panelHeight = 112;

/** The results of a run. */
export interface RewardGroup {
  /** What the run is called beside others. */
  readonly label: string;
  readonly rows: readonly ResultRow[];
}

/**
 * A panel for each community with a bar for each policy's reward per task and its 95 % Student-t interval, as in Fig. 11; of
 * several runs a bar for each of them beside each other, darker from run to run.
 *
 * @param note the line beneath
 */
export const rewardFigure = (runs: readonly RewardGroup[], note: string): TopLevelSpec => {
  const rows = runs.flatMap(({ label, rows: own }, index) => own.map((row) => ({ ...row, run: label, index })));
  const communities = [...new Set(rows.map(({ community }) => community))].filter((name) => name !== "all");
  const grid = { columns: Math.max(communities.length, 1), yAxisWidth };
  const policies = orderedPolicies(rows.map(({ policy }) => policy));
  const panels = communities.map((community, index): Panel => {
    const values = rows.flatMap((row) => {
      const { mean, halfWidth } = row.reward;
      if (row.community !== community || mean === null) return [];
      const { name, colour } = policyStyle(row.policy);
      const fill = tint(colour, row.index, runs.length);
      return [{ name, run: row.run, colour, fill, mean, low: mean - (halfWidth ?? 0), high: mean + (halfWidth ?? 0) }];
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
    const xOffset = {
      field: "run",
      type: "nominal",
      sort: runs.map(({ label }) => label),
      scale: { paddingInner: 0.08 },
    } as const;
    const colour = (field: "colour" | "fill") => ({ field, type: "nominal", scale: null, legend: null }) as const;
    const cap = { type: "tick", orient: "horizontal", size: 3, thickness: 0.6, color: ink, opacity: 1 } as const;
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
  });
  const entries = runs.map(({ label }, index) => ({ label, shade: tint("#000000", index, runs.length) }));
  return page(runs.length > 1 ? [shadeLegend("run", entries, grid)] : [], panels, grid, note);
};
