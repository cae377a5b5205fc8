import type { Difference, DifferenceRow } from "./paired-differences.ts";
import { studentQuantile } from "./statistics.ts";
import { asEstimate, sweepMetricList } from "./sweep-metrics.ts";
import type { SweepRow } from "./sweep-rows.ts";
import { formatEstimate } from "./table.ts";
import { alignedLines } from "./text-columns.ts";

/** What stands behind the numbers of a table of differences. */
export const differenceCaption = [
  "difference: mean ± half width of its 95 % Student-t interval over n pairs of trials with the same arrivals; bootstrap: 95 % band of the same pairs, from 5 on",
  "p: paired t-test; Holm's p: adjusted for all pairs of a block, * where it is below 0.05",
  "g_z: mean over standard deviation of the differences, corrected for few pairs (Hedges' g of pairs)",
].join("\n");

/** Of fewer no bootstrap band is shown: no resample of three pairs is far enough out, 3 of 4 bands hold the truth. */
export const fewestForBootstrap = 5;

/** Below it, what a table cannot tell is said under it. */
const manyPairs = 10;

const shown = sweepMetricList.filter(({ key }) => key !== "rewardPerEpoch");

/**
 * Differences over all communities as text, a block for each metric and in it a line for each pair of policies.
 *
 * @param remarks what else is said under it
 */
export const differenceTable = (rows: readonly DifferenceRow[], ...remarks: string[]): string => {
  const pairs = rows.filter(({ community }) => community === "all");
  const blocks = shown.flatMap(({ key, heading, digits }) => [
    [`${heading}:`, "difference", "bootstrap", "p", "Holm's p", "g_z", "n"],
    ...pairs.map((row) => [`${row.policy} - ${row.other}`, ...cellsOf(row[key], digits)]),
  ]);
  const lines = alignedLines(blocks, 1);
  const rule = "-".repeat(Math.max(...lines.map(({ length }) => length)));
  const body = lines.flatMap((line, index) => (index % (pairs.length + 1) === 0 ? ["", line] : [line])).slice(1);
  return [rule, ...body, rule, differenceCaption, ...fewPairsText(pairs), ...remarks].join("\n");
};

/** The differences of a sweep: as text where it has one point, else how many there are. */
export const sweepDifferenceText = (rows: readonly (DifferenceRow & Pick<SweepRow, "variables">)[]): string[] => {
  if (rows.length === 0) return [];
  const points = new Set(rows.map(({ variables }) => JSON.stringify(variables))).size;
  if (points === 1) return ["", differenceTable(rows)];
  return ["", `paired differences between policies at each of ${points} points, with p and g_z: --format json`];
};

const cellsOf = (difference: Difference, digits: number): string[] => {
  const { bootstrapInterval, pValue, adjustedPValue, effectSize, n } = difference;
  const isTold = adjustedPValue !== null && adjustedPValue < 0.05;
  return [
    `${formatEstimate(asEstimate(difference), digits)}${isTold ? "*" : " "}`,
    bootstrapInterval === null || n < fewestForBootstrap
      ? "-"
      : `[${bootstrapInterval.map((end) => end.toFixed(digits)).join(", ")}]`,
    probabilityText(pValue),
    probabilityText(adjustedPValue),
    effectSize === null ? "-" : effectSize.toFixed(2),
    String(n),
  ];
};

const probabilityText = (value: number | null): string => {
  if (value === null) return "-";
  return value < 0.001 ? "<0.001" : value.toFixed(3);
};

/** How large a difference must be at all, where few pairs were run. */
const fewPairsText = (pairs: readonly DifferenceRow[]): string[] => {
  const n = Math.min(...pairs.map(({ successRatio }) => successRatio.n));
  if (pairs.length === 0 || n >= manyPairs) return [];
  if (n < 2) return [`n = ${n}: one pair has no interval and no p; give the manifest more repetitions`];
  const least = studentQuantile(1 - 0.025 / pairs.length, n - 1) / Math.sqrt(n);
  const among = pairs.length === 1 ? "" : `, as the first of ${pairs.length} pairs,`;
  return [
    `n = ${n} is few: a mean difference${among} gets its * only beyond ${least.toFixed(1)} standard deviations; no * does not mean no difference`,
  ];
};
