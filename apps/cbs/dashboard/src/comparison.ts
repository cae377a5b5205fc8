import type { Estimate, LiveResult } from "@offloadlab/protocol";
import { decimalsFor, fixedOrDash } from "./format.ts";

/** The community of the rows that cover all of them. */
const overall = "all";

/** A column of the comparison. */
export interface Metric {
  readonly key: "reward" | "successRatio" | "energyJoules" | "waitingSeconds";
  readonly label: string;
  readonly unit: string;
  /** What one unit of the estimate is in the unit shown. */
  readonly scale: number;
  readonly better: "higher" | "lower";
  /** Comes straight from an emulated battery. */
  readonly emulated: boolean;
}

export const metrics: readonly Metric[] = [
  { key: "reward", label: "Reward per task", unit: "", scale: 1, better: "higher", emulated: false },
  { key: "successRatio", label: "Success rate", unit: "%", scale: 100, better: "higher", emulated: false },
  { key: "energyJoules", label: "Energy per task", unit: "J", scale: 1, better: "lower", emulated: true },
  { key: "waitingSeconds", label: "Waiting time", unit: "s", scale: 1, better: "lower", emulated: false },
];

/** One policy's rows. */
export interface PolicyRows {
  readonly policy: string;
  readonly overall: LiveResult | null;
  readonly communities: readonly LiveResult[];
}

/** Results by policy, policies and communities in the order they came: rows must not jump as figures change. */
export const groupByPolicy = (results: readonly LiveResult[]): readonly PolicyRows[] =>
  [...new Set(results.map(({ policy }) => policy))].map((policy) => {
    const rows = results.filter((row) => row.policy === policy);
    return {
      policy,
      overall: rows.find(({ community }) => community === overall) ?? null,
      communities: rows.filter(({ community }) => community !== overall),
    };
  });

/** Policies with the best overall mean of a column, ties included; none while there is nothing to compare. */
export const bestPolicies = (results: readonly LiveResult[], metric: Metric): ReadonlySet<string> => {
  const rows = results.filter((row) => row.community === overall && isKnown(row[metric.key]));
  if (rows.length < 2) return new Set();
  const means = knownMeans(rows, metric);
  const best = metric.better === "higher" ? Math.max(...means) : Math.min(...means);
  return new Set(rows.filter((row) => row[metric.key].mean === best).map(({ policy }) => policy));
};

/** Decimals of a column, the same in all its rows. */
export const columnDecimals = (results: readonly LiveResult[], metric: Metric): number =>
  metric.key === "successRatio" ? 1 : decimalsFor(knownMeans(results, metric).map((mean) => mean * metric.scale));

/** Half an interval's width in the column's unit; a dash for too few trials. */
export const halfWidthText = ({ halfWidth }: Estimate, { scale }: Metric, decimals: number): string =>
  fixedOrDash(halfWidth === null ? null : halfWidth * scale, decimals);

/** Characters of a column's longest half width. */
export const halfLength = (results: readonly LiveResult[], metric: Metric, decimals: number): number =>
  Math.max(1, ...results.map((row) => halfWidthText(row[metric.key], metric, decimals).length));

/** Trials behind a row: the fewest and the most of its columns, which are the same unless a trial had nothing to measure. */
export const trialsOf = (row: LiveResult): readonly [fewest: number, most: number] => {
  const counts = metrics.map(({ key }) => row[key].n);
  return [Math.min(...counts), Math.max(...counts)];
};

/** An estimate over no trial has no mean. */
export const isKnown = (estimate: Estimate): estimate is Estimate & { readonly mean: number } => estimate.mean !== null;

const knownMeans = (results: readonly LiveResult[], metric: Metric): number[] =>
  results
    .map((row) => row[metric.key])
    .filter(isKnown)
    .map(({ mean }) => mean);
