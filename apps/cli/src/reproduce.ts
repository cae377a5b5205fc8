import { join } from "node:path";
import { alignedLines, asEstimate, formatEstimate, type SweepRow, sweepTable } from "@offloadlab/records";
import { exitCodes } from "./exit-codes.ts";
import { type ManifestChanges, readExperimentFile } from "./experiment-source.ts";
import { orderingsOf, orderingsText } from "./orderings.ts";
import { printResult } from "./output.ts";
import { fitTolerance, type PaperRow, paperTable } from "./paper-table.ts";
import { experimentsFolder } from "./paths.ts";
import { provenanceOf, runSweep, type SweepOptions } from "./sweep-commands.ts";
import { drawReport } from "./sweep-report-command.ts";

export const reproducible = ["table3", "fig8", "fig9"] as const;
export type Reproducible = (typeof reproducible)[number];

/** `offload reproduce`: one of the paper's experiments as a sweep, its figures and, where there are any, the paper's numbers beside. */
export const reproduce = async (what: Reproducible, options: ManifestChanges & SweepOptions): Promise<void> => {
  const { on, processes, sbatch, out, format, ...changes } = options;
  const source = await readExperimentFile(join(experimentsFolder, `${what}.yaml`), changes);
  const finished = await runSweep(source, options);
  const { folder, plan, rows, made } = finished;
  const files = await drawReport(folder, plan, rows);
  // The paper's numbers and the fit are of its own preset, whose bandwidths alone are varied.
  const comparable = what === "table3" && (changes.preset ?? "paper") === "paper" && (changes.set ?? []).length === 0;
  const own = rows.filter(({ community }) => community === "all");
  const beside = comparable ? own.map((row) => ({ row, paper: paperRowOf(row) })) : [];
  const orderings = orderingsOf(own);
  const text = [
    sweepTable(own, provenanceOf(plan)).trimEnd(),
    ...(beside.length === 0 ? [] : ["", comparisonText(beside)]),
    ...(orderings.length === 0 ? [] : ["", orderingsText(orderings)]),
    "",
    `${folder}: ${plan.trials.length} trials, ${made} of them made now`,
    `figures and tables: ${files.map((file) => join(folder, "report", file)).join(" ")}`,
  ].join("\n");
  const data = {
    folder,
    trials: plan.trials.length,
    made,
    rows: own.map((row) => ({ ...row, ...row.variables, ...besideOf(comparable ? paperRowOf(row) : undefined, row) })),
    orderings,
    communities: rows.filter(({ community }) => community !== "all"),
  };
  printResult(format, exitCodes.ok, text, data);
};

const paperRowOf = ({ policy, variables }: SweepRow): PaperRow | undefined =>
  paperTable.find((row) => row.policy === policy && row.bandwidthHertz === variables["bandwidth_hertz"]);

/** How far a row is from the fit. */
const deviationOf = (row: SweepRow, fit: NonNullable<PaperRow["fit"]>) => {
  const successRatio = (row.successRatio.mean ?? Number.NaN) - fit.successRatio;
  const energyRelative = (row.energyJoules.mean ?? Number.NaN) / fit.energyJoules - 1;
  const waitingSeconds = (row.waitingSeconds.mean ?? Number.NaN) - fit.waitingSeconds;
  const within =
    Math.abs(successRatio) <= fitTolerance.successRatio &&
    Math.abs(energyRelative) <= fitTolerance.energyRelative &&
    Math.abs(waitingSeconds) <= fitTolerance.waitingSeconds;
  return { successRatio, energyRelative, waitingSeconds, within };
};

const besideOf = (paper: PaperRow | undefined, row: SweepRow) =>
  paper === undefined
    ? {}
    : {
        paper: paper.paper,
        ...(paper.fit === undefined ? {} : { fit: paper.fit, deviationFromFit: deviationOf(row, paper.fit) }),
      };

/** Ours beside the paper's and the fit's: every number, and what lies between. */
const comparisonText = (beside: readonly { row: SweepRow; paper: PaperRow | undefined }[]): string => {
  const signed = (value: number, digits: number): string => `${value < 0 ? "" : "+"}${value.toFixed(digits)}`;
  const cells = [
    ["B [MHz]", "policy", "", "success rate", "energy per task [J]", "waiting time [s]", "reward per epoch"],
    ...beside.flatMap(({ row, paper }) => {
      if (paper === undefined) return [];
      const ours = [
        String(paper.bandwidthHertz / 1e6),
        row.policy,
        "ours",
        formatEstimate(asEstimate(row.successRatio), 3),
        formatEstimate(asEstimate(row.energyJoules), 2),
        formatEstimate(asEstimate(row.waitingSeconds), 3),
        formatEstimate(asEstimate(row.rewardPerEpoch), 0),
      ];
      const printed = [
        "",
        "",
        "paper",
        paper.paper.successRatio.toFixed(2),
        paper.paper.energyJoules.toFixed(2),
        paper.paper.waitingSeconds.toFixed(2),
        paper.paper.rewardPerEpoch.toFixed(2),
      ];
      const fromPaper = [
        "",
        "",
        "ours - paper",
        signed((row.successRatio.mean ?? Number.NaN) - paper.paper.successRatio, 3),
        signed((row.energyJoules.mean ?? Number.NaN) - paper.paper.energyJoules, 2),
        signed((row.waitingSeconds.mean ?? Number.NaN) - paper.paper.waitingSeconds, 3),
        "",
      ];
      if (paper.fit === undefined) return [ours, printed, fromPaper];
      const { successRatio, energyRelative, waitingSeconds, within } = deviationOf(row, paper.fit);
      const fit = [
        "",
        "",
        "ours - fit",
        signed(successRatio, 3),
        `${signed(100 * energyRelative, 1)} %`,
        signed(waitingSeconds, 3),
        within ? "within tolerance" : "OUTSIDE",
      ];
      return [ours, printed, fromPaper, fit];
    }),
  ];
  const { successRatio, energyRelative, waitingSeconds } = fitTolerance;
  return [
    "Beside Table III, and beside the fit of preset `paper` to its heuristic rows:",
    ...alignedLines(cells, 3),
    `tolerance of the fit: ${successRatio} success, ${100 * energyRelative} % energy, ${waitingSeconds} s waiting; rewards of the paper are of a scale that it does not give`,
  ].join("\n");
};
