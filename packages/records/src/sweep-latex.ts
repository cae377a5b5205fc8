import { policyStyle } from "./figures/policy-styles.ts";
import { type LoopAxis, loopPoint } from "./loop-axis.ts";
import { type Provenance, provenanceLine } from "./provenance.ts";
import { asEstimate, type SweepMetric, sweepMetrics } from "./sweep-metrics.ts";
import type { SweepEstimate, SweepRow } from "./sweep-rows.ts";

/** What a table in a paper needs beside its rows. */
export interface LatexTable {
  /** Plain text; what means something to TeX is escaped. */
  readonly caption: string;
  /** For `\ref`. */
  readonly label: string;
  readonly provenance: Provenance;
  /** Titles of loop variables; their names without it. */
  readonly axes?: readonly LoopAxis[];
  /** `all` without it. */
  readonly community?: string;
}

const columns: readonly SweepMetric[] = [
  sweepMetrics.rewardPerEpoch,
  sweepMetrics.successRatio,
  sweepMetrics.energyJoules,
  sweepMetrics.waitingSeconds,
];

/** The sweep as the paper's Table III: a line per policy, grouped by loop values. Needs the package `booktabs`. */
export const sweepLatex = (rows: readonly SweepRow[], table: LatexTable): string => {
  const { axes = [], community = "all", provenance } = table;
  const own = rows.filter((row) => row.community === community);
  const points = [...new Set(own.map(({ variables }) => loopPoint(variables, axes)))];
  const groups = points.flatMap((point) => [
    "\\midrule",
    ...(point === "" ? [] : [`\\multicolumn{${columns.length + 2}}{@{}l}{\\textit{${escapeLatex(point)}}} \\\\`]),
    ...own.filter(({ variables }) => loopPoint(variables, axes) === point).map(latexLine),
  ]);
  const source = provenanceLine(provenance);
  const note = `Mean $\\pm$ half width of the 95\\,\\% Student-t interval over $n$ trials; ${escapeLatex(source)}.`;
  return `${[
    `% ${source}`,
    "\\begin{table*}[t]",
    `\\caption{${escapeLatex(table.caption)}}`,
    `\\label{${table.label}}`,
    "\\centering",
    `\\begin{tabular}{@{}l${"r".repeat(columns.length + 1)}@{}}`,
    "\\toprule",
    `${["Method", ...columns.map(({ title }) => escapeLatex(title)), "$n$"].join(" & ")} \\\\`,
    ...groups,
    "\\bottomrule",
    "\\end{tabular}",
    `\\par\\smallskip{\\footnotesize ${note}}`,
    "\\end{table*}",
  ].join("\n")}\n`;
};

const latexLine = (row: SweepRow): string => {
  const cells = columns.map(({ key, digits }) => latexEstimate(row[key], digits));
  return `${[escapeLatex(policyStyle(row.policy).name), ...cells, String(row.rewardPerEpoch.n)].join(" & ")} \\\\`;
};

/** `$0.912 \pm 0.013$`, or a dash where n = 0. */
const latexEstimate = (estimate: SweepEstimate, digits: number): string => {
  const { mean, halfWidth } = asEstimate(estimate);
  if (mean === null) return "--";
  return `$${mean.toFixed(digits)}${halfWidth === null ? "" : ` \\pm ${halfWidth.toFixed(digits)}`}$`;
};

const special: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
};

/** Plain text as TeX prints it. */
export const escapeLatex = (text: string): string =>
  text.replace(/[\\~^<>{}$&#_%]/g, (character) => special[character] ?? `\\${character}`);
