import { expect, it } from "vitest";
import { escapeLatex, sweepLatex } from "./sweep-latex.ts";
import { provenance, provenanceText, sweepRow } from "./sweep-rows.test-helper.ts";

const axes = [{ variable: "bandwidth_hertz", title: "Bandwidth [MHz]", divisor: 1e6 }];
const table = { caption: "5 % & more", label: "tab:bandwidth", provenance, axes };

it("is a booktabs table with policies as rows, grouped by loop value", () => {
  const rows = [5e6, 15e6].flatMap((bandwidth_hertz) =>
    ["local", "pfr-oa"].flatMap((policy) =>
      ["all", "community-1"].map((community) => sweepRow({ policy, community, variables: { bandwidth_hertz } })),
    ),
  );
  expect(sweepLatex(rows, table)).toMatchInlineSnapshot(`
    "% sweep bandwidth, commit 1a2b3c4, seed 5, 240 trials
    \\begin{table*}[t]
    \\caption{5 \\% \\& more}
    \\label{tab:bandwidth}
    \\centering
    \\begin{tabular}{@{}lrrrrr@{}}
    \\toprule
    Method & Reward per epoch & Task success rate & Average energy consumption [J] & Average waiting time [s] & $n$ \\\\
    \\midrule
    \\multicolumn{6}{@{}l}{\\textit{Bandwidth [MHz]: 5}} \\\\
    Local & $-520.50 \\pm 0.50$ & $0.750 \\pm 0.500$ & $10.25 \\pm 0.50$ & $1.500 \\pm 0.500$ & 30 \\\\
    PFR-OA & $-520.50 \\pm 0.50$ & $0.750 \\pm 0.500$ & $10.25 \\pm 0.50$ & $1.500 \\pm 0.500$ & 30 \\\\
    \\midrule
    \\multicolumn{6}{@{}l}{\\textit{Bandwidth [MHz]: 15}} \\\\
    Local & $-520.50 \\pm 0.50$ & $0.750 \\pm 0.500$ & $10.25 \\pm 0.50$ & $1.500 \\pm 0.500$ & 30 \\\\
    PFR-OA & $-520.50 \\pm 0.50$ & $0.750 \\pm 0.500$ & $10.25 \\pm 0.50$ & $1.500 \\pm 0.500$ & 30 \\\\
    \\bottomrule
    \\end{tabular}
    \\par\\smallskip{\\footnotesize Mean $\\pm$ half width of the 95\\,\\% Student-t interval over $n$ trials; sweep bandwidth, commit 1a2b3c4, seed 5, 240 trials.}
    \\end{table*}
    "
  `);
  expect(sweepLatex(rows, table)).toContain(`% ${provenanceText}\n`);
  expect(sweepLatex(rows, { ...table, community: "community-1" })).toBe(sweepLatex(rows, table));
});

it("has one group without a heading for a sweep over nothing, and a dash where nothing was measured", () => {
  const none = { mean: null, interval: null, bootstrapInterval: null, n: 0 };
  const one = { mean: 0.5, interval: null, bootstrapInterval: null, n: 1 };
  const latex = sweepLatex([sweepRow({ energyJoules: none, waitingSeconds: one })], table);
  expect(latex).toContain("\\midrule\nLocal & $-520.50 \\pm 0.50$ & $0.750 \\pm 0.500$ & -- & $0.500$ & 30 \\\\\n");
});

it("prints what TeX would read as its own", () => {
  expect(escapeLatex("a_b & 5 % {x} #1 $2 ~^\\")).toBe(
    "a\\_b \\& 5 \\% \\{x\\} \\#1 \\$2 \\textasciitilde{}\\textasciicircum{}\\textbackslash{}",
  );
});
