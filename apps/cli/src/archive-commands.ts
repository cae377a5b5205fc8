import { readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { Failure, messageOf } from "@offloadlab/protocol";
import {
  abandonedText,
  answersText,
  archiveFiles,
  checkArchive,
  type DifferenceRow,
  decisionTimes,
  decisionTimesText,
  deviceLinks,
  deviceLinksText,
  differenceTable,
  type Hardware,
  laboratoryAnswers,
  learnerDeaths,
  learnerDeathsText,
  learningGains,
  learningGainText,
  leaseQuality,
  pairedDifferences,
  pairedTrials,
  type ResultRow,
  type RunState,
  readRun,
  readStatus,
  resultCaption,
  resultRows,
  resultTable,
  taskFates,
  trialSums,
} from "@offloadlab/records";
import { exitCodes } from "./exit-codes.ts";
import { type Format, printResult } from "./output.ts";
import { reportSweep, sweepAt } from "./sweep-report-command.ts";

/** The folder of a run, given as a path or as its id. @throws Failure `config/invalid` when there is no such folder */
export const runFolder = async (run: string, runs: string): Promise<string> => {
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
  const { status, problems, tasks, trials, abandoned } = report;
  const verdict =
    problems.length > 0
      ? [`REFUSED: ${report.folder}`, ...problems.map((problem) => `  ${problem}`)]
      : [
          `accepted: ${report.folder}`,
          `  ${trials} trials, ${tasks} tasks, each with one outcome; C1-C5, clocks and checksums hold`,
          ...abandonedText(abandoned).map((line) => `  ${line}`),
          `  the run is ${status?.state ?? "unsealed"}${status?.reasons.length ? `: ${status.reasons.join("; ")}` : ""}`,
        ];
  printResult(options.format, problems.length > 0 ? exitCodes.invalid : exitCodes.ok, verdict.join("\n"), report);
};

/** `offload report` of a sweep, or of runs: the comparison and the quality of the emulation, from the journals. */
export const report = async (
  runs: readonly string[],
  options: { readonly runs: string; readonly figures?: string; readonly format: Format },
): Promise<void> => {
  const [run, ...others] = runs as [string, ...string[]];
  const sweep = others.length === 0 ? await sweepAt(run) : undefined;
  if (sweep !== undefined) return reportSweep(sweep, options.format);
  const reports = [];
  for (const each of runs) reports.push(await runReport(await runFolder(each, options.runs)));
  const data = reports.map((each) => each.data);
  const [first] = data as [(typeof data)[0], ...typeof data];
  const figures =
    options.figures === undefined
      ? []
      : await (others.length === 0
          ? drawRewards(options.figures, first.folder, first)
          : drawRuns(options.figures, data));
  const texts = reports.map((each) =>
    others.length === 0 ? each.text : `${basename(each.data.folder)}\n\n${each.text}\n`,
  );
  const lines = [...texts, ...(figures.length === 0 ? [] : [`figures: ${figures.join(", ")} in ${options.figures}`])];
  const answer = others.length === 0 ? { ...first, figures } : { runs: data, figures };
  printResult(options.format, exitCodes.ok, lines.join("\n"), answer);
};

/** What a sealed archive says of its results. */
export interface RunResults {
  readonly rows: readonly ResultRow[];
  readonly hardware: Hardware;
  readonly clockSpeed: number;
}

/** Fig. 11 of a run, beside no archive: those are sealed. @returns the names of its files */
export const drawRewards = async (
  folder: string,
  archive: string,
  { rows, hardware, clockSpeed }: RunResults,
): Promise<string[]> => {
  // Drawing takes libraries that no other command needs.
  const { rewardFigure, writeFigure } = await import("@offloadlab/records/report");
  return writeFigure(
    folder,
    "fig11",
    rewardFigure([{ label: "", rows }], `${basename(archive)}: ${resultCaption(hardware, clockSpeed)}`),
  );
};

/** The rewards of several runs beside each other. @returns the names of its files */
const drawRuns = async (
  folder: string,
  runs: readonly (RunResults & { readonly folder: string })[],
): Promise<string[]> => {
  const { rewardFigure, writeFigure } = await import("@offloadlab/records/report");
  const groups = runs.map(({ folder: archive, rows }) => ({ label: nameOf(archive), rows }));
  const captions = new Set(runs.map(({ hardware, clockSpeed }) => resultCaption(hardware, clockSpeed)));
  return writeFigure(folder, "rewards", rewardFigure(groups, [...captions].join("; ")));
};

/** What a run's manifest calls it, by the run's id: `<date>-<time>-<name>-<random>`. */
const nameOf = (archive: string): string =>
  /^\d+-\d+-(.+)-[0-9a-f]+$/.exec(basename(archive))?.[1] ?? basename(archive);

/** What `report` prints. @throws Failure `archive/damaged` when the content cannot be read */
export const runReport = async (folder: string) => {
  const { run, state, reasons, notice } = await openRun(folder);
  const { settings, trials, abandoned, journals, hardware, clockSpeed, laboratory } = run;
  const sums = trialSums(settings, trials, taskFates(journals));
  const rows = resultRows(sums);
  const pairs = pairedTrials(trials, sums);
  const differences = pairedDifferences(pairs);
  const gains = learningGains(journals, sums);
  const deaths = learnerDeaths(journals);
  const quality = leaseQuality(journals, laboratory.uplinkRateRatios);
  const links = deviceLinks(journals);
  const decisions = decisionTimes(settings, trials, journals);
  const answers = laboratoryAnswers(settings, trials, journals);
  const percent = (ratio: number): string => `${(100 * ratio).toFixed(2)} %`;
  const errors = (median: number, p95: number): string => `median ${percent(median)}, 95th percentile ${percent(p95)}`;
  const comparison = [
    resultTable(rows),
    "",
    resultCaption(hardware, clockSpeed),
    ...abandonedText(abandoned),
    ...answersText(answers),
    ...learnerDeathsText(deaths),
    ...differenceText(differences),
  ];
  const text = [
    ...notice,
    ...comparison,
    ...learningGainText(gains),
    decisionTimesText(decisions, clockSpeed),
    quality.uploads === 0
      ? "transmission error: no uploads"
      : `transmission error over ${quality.uploads} uploads: ${errors(quality.medianRatio, quality.p95Ratio)}`,
    ...deviceLinksText(links),
    quality.tasks === 0
      ? "compute share error: no uploads"
      : `compute share error over ${quality.tasks} tasks: ${errors(quality.shareMedianRatio, quality.shareP95Ratio)}`,
  ].join("\n");
  return {
    /** The run's table, and what has to be known of it: a part of the text. */
    comparison,
    text,
    pairs,
    data: {
      ...{
        folder,
        state,
        reasons,
        hardware,
        clockSpeed,
        abandoned,
        rows,
        answers,
        learnerDeaths: deaths,
        differences,
        gains,
        decisions,
        links,
      },
      transmission: quality,
    },
  };
};

/** Every policy against every other one, apart from what stands before and after; nothing of a single policy. */
const differenceText = (differences: readonly DifferenceRow[]): string[] =>
  differences.length === 0 ? [] : ["", differenceTable(differences), ""];

/**
 * An archive's content, how its run ended, and the lines that say so first when it did not end as it should.
 *
 * @throws Failure `archive/damaged` when the content cannot be read
 */
export const openRun = async (folder: string) => {
  const run = await readRun(folder).catch((error: unknown) => {
    throw new Failure("archive/damaged", `${folder}: ${messageOf(error)}; \`offload check\` names the file`, {
      cause: error,
    });
  });
  const { state, reasons } = await runState(folder);
  const ending = [state, reasons.join("; ")].filter(Boolean).join(": ");
  return { run, state, reasons, notice: state === "complete" ? [] : [`the run is ${ending}`, ""] };
};

/** How a run ended, with the reasons; `unsealed` when it has not, or when its status is damaged. */
const runState = async (folder: string): Promise<{ state: RunState | "unsealed"; reasons: readonly string[] }> => {
  const text = await readFile(join(folder, archiveFiles.status), "utf8").catch(() => null);
  if (text === null) return { state: "unsealed", reasons: [] };
  return readStatus(text) ?? { state: "unsealed", reasons: [`${archiveFiles.status}: not as it was written`] };
};
