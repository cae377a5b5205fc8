import { join, resolve } from "node:path";
import { Failure, messageOf } from "@offloadlab/protocol";
import {
  answerRows,
  answersText,
  loopAxes,
  SweepFolder,
  type SweepPlan,
  type SweepRow,
  sweepDifferences,
  sweepDifferenceText,
  sweepFiles,
  sweepTable,
} from "@offloadlab/records";
import { exitCodes } from "./exit-codes.ts";
import { type Format, printResult } from "./output.ts";
import { collect, provenanceOf } from "./sweep-commands.ts";

/** Writes tables and figures into a sweep's `report` folder. Returns the files' names in it. */
export const drawReport = async (folder: string, plan: SweepPlan, rows: readonly SweepRow[]): Promise<string[]> => {
  // Drawing takes libraries that no other command needs.
  const { writeSweepReport } = await import("@offloadlab/records/report");
  return writeSweepReport(join(folder, "report"), rows, provenanceOf(plan), loopAxes);
};

/** The folder of a sweep; undefined when it is none. */
export const sweepAt = async (folder: string): Promise<SweepFolder | undefined> =>
  SweepFolder.open(resolve(folder)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw new Failure("archive/damaged", `${join(folder, sweepFiles.plan)}: ${messageOf(error)}`, { cause: error });
  });

/** `offload report` of a sweep: its table, and its tables and figures as files. */
export const reportSweep = async (sweep: SweepFolder, format: Format): Promise<void> => {
  const missing = await sweep.missing();
  if (missing.length > 0) {
    throw new Failure(
      "archive/damaged",
      `${sweep.path}: ${missing.length} of ${sweep.plan.trials.length} trials are missing; \`offload sweep\` with its manifest goes on`,
    );
  }
  const { sums, rows } = await collect(sweep);
  const answers = answerRows(sums);
  const files = (await drawReport(sweep.path, sweep.plan, rows)).map((file) => join(sweep.path, "report", file));
  const table = sweepTable(rows, provenanceOf(sweep.plan)).trimEnd();
  const differences = sweepDifferences(sums);
  const text = [table, ...answersText(answers), ...sweepDifferenceText(differences), "", ...files].join("\n");
  printResult(format, exitCodes.ok, text, { folder: sweep.path, rows, answers, differences, files });
};
