import type { TopLevelSpec } from "vega-lite";
import type { ResultRow } from "../results.ts";
import type { Estimate } from "../statistics.ts";
import { sweepMetrics } from "../sweep-metrics.ts";
import { barPanel } from "./bar-panel.ts";
import { figurePoint } from "./figure-points.ts";
import { shadeLegend } from "./legend.ts";
import { page } from "./page.ts";
import { orderedPolicies } from "./policy-styles.ts";
import { tint } from "./tint.ts";

/** The results of a run. */
export interface RewardGroup {
  /** What the run is called beside others. */
  readonly label: string;
  readonly rows: readonly ResultRow[];
}

/**
 * A panel for each community with a bar for each policy's reward per task and its 95 % Student-t interval, as in Fig. 11; of
 * several runs a bar for each of them beside each other, darker from run to run. An interval ends at 0, which no reward exceeds.
 *
 * @param runs each with a label of its own
 * @param note the line beneath
 */
export const rewardFigure = (runs: readonly RewardGroup[], note: string): TopLevelSpec => {
  const rows = runs.flatMap(({ label, rows: own }) => own.map((row) => ({ ...row, group: label })));
  const communities = [...new Set(rows.map(({ community }) => community))].filter((name) => name !== "all");
  const grid = {
    columns: Math.max(communities.length, 1),
    yAxisWidth: 40,
    policies: orderedPolicies(rows.map(({ policy }) => policy)),
    groups: runs.map(({ label }) => label),
  };
  const panels = communities.map((name, index) => {
    const bars = rows.flatMap(({ policy, community, group, reward }) => {
      const point = community === name ? figurePoint(asMean(reward), sweepMetrics.rewardPerTask) : undefined;
      return point === undefined ? [] : [{ policy, group, ...point }];
    });
    return barPanel(bars, index, `${name}: reward per task`, grid);
  });
  const entries = runs.map(({ label }, index) => ({ label, shade: tint("#000000", index, runs.length) }));
  return page(runs.length > 1 ? [shadeLegend("run", entries, grid)] : [], panels, grid, note);
};

const asMean = ({ mean, halfWidth }: Estimate) => ({
  mean,
  interval: mean === null || halfWidth === null ? null : ([mean - halfWidth, mean + halfWidth] as const),
});
