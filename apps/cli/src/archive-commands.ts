import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Failure, messageOf } from "@offloadlab/protocol";
import {
  archiveFiles,
  checkArchive,
  leaseQuality,
  readRun,
  resultRows,
  resultTable,
  taskFates,
  trialSums,
} from "@offloadlab/records";
import { exitCodes } from "./exit-codes.ts";
import { type Format, printResult } from "./output.ts";

/** The folder of a run, given as a path or as its id. @throws Failure `config/invalid` when there is no such folder */
const runFolder = async (run: string, runs: string): Promise<string> => {
  for (const folder of [resolve(run), resolve(runs, run)]) {
    if (
      await stat(join(folder, archiveFiles.manifest)).then(
        () => true,
        () => false,
      )
    )
      return folder;
  }
  throw new Failure(
    "config/invalid",
    `expected a run's folder or id, got ${run}; looked at ${resolve(run)} and ${resolve(runs, run)}`,
  );
};

/** `offload check`: accepts an archive or says what is wrong with which file. */
export const check = async (run: string, options: { runs: string; format: Format }): Promise<void> => {
  const report = await checkArchive(await runFolder(run, options.runs));
  const { status, problems, tasks, trials } = report;
  const verdict =
    problems.length > 0
      ? [`REFUSED: ${report.folder}`, ...problems.map((problem) => `  ${problem}`)]
      : [
          `accepted: ${report.folder}`,
          `  ${trials} trials, ${tasks} tasks, each with one outcome; C1-C5, clocks and checksums hold`,
          `  the run is ${status?.state ?? "unsealed"}${status?.reasons.length ? `: ${status.reasons.join("; ")}` : ""}`,
        ];
  printResult(options.format, problems.length > 0 ? exitCodes.invalid : exitCodes.ok, verdict.join("\n"), report);
};

/** `offload report`: the comparison and the quality of the emulation, from the journals. */
export const report = async (run: string, options: { runs: string; format: Format }): Promise<void> => {
  const folder = await runFolder(run, options.runs);
  const { settings, trials, journals } = await readRun(folder).catch((error: unknown) => {
    throw new Failure("archive/damaged", `${folder}: ${messageOf(error)}; \`offload check\` names the file`, {
      cause: error,
    });
  });
  const rows = resultRows(trialSums(settings, trials, taskFates(journals)));
  const quality = leaseQuality(journals);
  const percent = (ratio: number): string => `${(100 * ratio).toFixed(2)} %`;
  const text = [
    resultTable(rows),
    "",
    `transmission error over ${quality.uploads} uploads: median ${percent(quality.medianRatio)}, 95th percentile ${percent(quality.p95Ratio)}`,
    `compute share error over ${quality.uploads} tasks: median ${percent(quality.shareMedianRatio)}, 95th percentile ${percent(quality.shareP95Ratio)}`,
  ].join("\n");
  printResult(options.format, exitCodes.ok, text, { folder, rows, transmission: quality });
};
