import { type Provenance, provenanceLine } from "./provenance.ts";
import { asEstimate, sweepMetricList } from "./sweep-metrics.ts";
import type { SweepRow } from "./sweep-rows.ts";
import { formatEstimate } from "./table.ts";
import { alignedLines } from "./text-columns.ts";

/** What stands behind the numbers of every sweep's table. */
export const sweepCaption = "mean ± half width of the 95 % Student-t interval over n trials";

/**
 * The sweep as text: a line per row, policies set apart, and what it is beneath.
 *
 * @param caption what the rows are of, where they are not of a sweep's trials
 */
export const sweepTable = (rows: readonly SweepRow[], provenance: Provenance, caption = sweepCaption): string => {
  const variables = Object.keys(rows[0]?.variables ?? {});
  const cells = [
    [...variables, "policy", "community", ...sweepMetricList.map(({ heading }) => heading), "n"],
    ...rows.map((row) => [
      ...variables.map((name) => String(row.variables[name])),
      row.policy,
      row.community,
      ...sweepMetricList.map(({ key, digits }) => formatEstimate(asEstimate(row[key]), digits)),
      String(row.rewardPerEpoch.n),
    ]),
  ];
  const [heading = "", ...lines] = alignedLines(cells, variables.length + 2);
  const rule = "-".repeat(Math.max(heading.length, ...lines.map((line) => line.length)));
  // Every block of communities begins with `all` of them.
  const body = lines.flatMap((line, index) => (index > 0 && rows[index]?.community === "all" ? ["", line] : [line]));
  return `${[heading, rule, ...body, rule, caption, provenanceLine(provenance)].join("\n")}\n`;
};
