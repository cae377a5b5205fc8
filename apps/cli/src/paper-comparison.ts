import { alignedLines, asEstimate, formatEstimate, type SweepRow } from "@offloadlab/records";
import { fitTolerance, type PaperRow, paperTable } from "./paper-table.ts";

/** What Table III has of a row's policy and bandwidth. */
export const paperRowOf = ({ policy, variables }: SweepRow): PaperRow | undefined =>
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

/** What the paper and the fit have beside a row, for machines. */
export const besideOf = (row: SweepRow) => {
  const paper = paperRowOf(row);
  if (paper === undefined) return {};
  const { fit } = paper;
  return { paper: paper.paper, ...(fit === undefined ? {} : { fit, deviationFromFit: deviationOf(row, fit) }) };
};

const signed = (value: number, digits: number): string => `${value < 0 ? "" : "+"}${value.toFixed(digits)}`;

/** Ours beside the paper's and the fit's: every number, and what lies between. */
export const comparisonText = (rows: readonly SweepRow[]): string => {
  const cells = [
    ["B [MHz]", "policy", "", "n", "success rate", "energy per task [J]", "waiting time [s]", "reward per epoch"],
    ...rows.flatMap((row) => {
      const paper = paperRowOf(row);
      const ours = [
        String(Number(row.variables["bandwidth_hertz"]) / 1e6),
        row.policy,
        "ours",
        String(row.successRatio.n),
        formatEstimate(asEstimate(row.successRatio), 3),
        formatEstimate(asEstimate(row.energyJoules), 2),
        formatEstimate(asEstimate(row.waitingSeconds), 3),
        formatEstimate(asEstimate(row.rewardPerEpoch), 0),
      ];
      if (paper === undefined) return [ours];
      const printed = [
        "",
        "",
        "paper",
        "",
        paper.paper.successRatio.toFixed(2),
        paper.paper.energyJoules.toFixed(2),
        paper.paper.waitingSeconds.toFixed(2),
        paper.paper.rewardPerEpoch.toFixed(2),
      ];
      const fromPaper = [
        "",
        "",
        "ours - paper",
        "",
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
        "",
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
    "Beside Table III, and beside the fit of preset `paper` to its heuristic rows; ± is the 95 % interval over n seeds:",
    ...alignedLines(cells, 3),
    `tolerance of the fit: ${successRatio} success, ${100 * energyRelative} % energy, ${waitingSeconds} s waiting; rewards of the paper are of a scale that it does not give`,
  ].join("\n");
};
