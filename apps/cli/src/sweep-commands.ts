import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Failure, messageOf, readEnvironment } from "@offloadlab/protocol";
import {
  answerRows,
  answersText,
  type EpochSums,
  planText,
  SweepFolder,
  type SweepPlan,
  type SweepRow,
  simulateTrial,
  sweepDifferences,
  sweepDifferenceText,
  sweepFiles,
  sweepPlan,
  sweepRows,
  sweepTable,
  type TrialCurve,
} from "@offloadlab/records";
import { exitCodes } from "./exit-codes.ts";
import { type ExperimentSource, experimentOf, type ManifestChanges, readExperimentFile } from "./experiment-source.ts";
import { runLocally, type TrialsTook } from "./local-trials.ts";
import { type Format, minutes, ProgressLine, printResult } from "./output.ts";
import { distFolder } from "./paths.ts";
import { runOnSlurm } from "./slurm.ts";

/** Where the trials of a sweep run. */
export interface SweepOptions {
  readonly on: "local" | "slurm";
  readonly processes?: number;
  /** For sbatch, as they are. */
  readonly sbatch?: readonly string[];
  readonly out?: string;
  /** Where finished trainings are kept; in the sweep's own folder without it. */
  readonly trainings?: string;
  /** Of the code; found out without it. */
  readonly commit?: string;
  readonly format: Format;
}

/** A sweep whose trials are all made. */
export interface FinishedSweep {
  readonly folder: string;
  readonly plan: SweepPlan;
  readonly sums: readonly EpochSums[];
  readonly rows: readonly SweepRow[];
  /** How methods learned, of every trial that trained one. */
  readonly curves: readonly TrialCurve[];
  /** Those that had to be made by this command. */
  readonly made: number;
  /** What making them took, where they were made on this machine. */
  readonly took?: TrialsTook;
}

/** `offload simulate`: a comparison in this process, without a trace on disk. */
export const simulate = async (
  file: string | undefined,
  { format, ...changes }: ManifestChanges & { format: Format },
): Promise<void> => {
  const { experiment } =
    file === undefined
      ? experimentOf(defaultManifest, "command line", changes)
      : await readExperimentFile(file, changes);
  const plan = sweepPlan(experiment, await commitOfCode());
  const { text, data } = simulatedReport(plan, await simulatedHere(plan));
  printResult(format, exitCodes.ok, text, data);
};

/** Every trial of a plan in this process. */
export const simulatedHere = async (plan: SweepPlan): Promise<EpochSums[]> => {
  const progress = new ProgressLine();
  const sums: EpochSums[] = [];
  const started = performance.now();
  for (const trial of plan.trials) {
    const line = (done: number, all: number) =>
      `trial ${trial.number} of ${plan.trials.length}: ${trial.policy}, epoch ${done} of ${all}`;
    const result = await simulateTrial(plan, trial, async (done, all) => {
      // A comparison of a moment needs no progress.
      if (performance.now() - started > 1000) progress.update("simulating", line(done, all));
      await nextTurn();
    });
    sums.push(...result.sums);
  }
  return sums;
};

/** The tables of simulated trials. */
export const simulatedReport = (plan: SweepPlan, sums: readonly EpochSums[]) => {
  const rows = sweepRows(sums);
  const answers = answerRows(sums);
  const differences = sweepDifferences(sums);
  const table = sweepTable(rows, provenanceOf(plan)).trimEnd();
  const text = [table, ...answersText(answers), ...sweepDifferenceText(differences)].join("\n");
  return { text, data: { rows, answers, differences } };
};

/** A cluster's scheduler spends seconds on a task, most trials less. */
const trialsPerTask = 4;

const defaultManifest = `name: simulate
preset: paper
policies: [local, edge, greedy, fair, oracle]
repetitions: 10
epochs: 4
seed: 1
`;

/** `offload sweep`: every trial of a manifest, on this machine or a cluster; goes on where it was stopped. */
export const sweep = async (file: string, options: ManifestChanges & SweepOptions): Promise<void> => {
  const { on, processes, sbatch, out, format, ...changes } = options;
  const finished = await runSweep(await readExperimentFile(file, changes), options);
  const answers = answerRows(finished.sums);
  const differences = sweepDifferences(finished.sums);
  const text = [
    sweepTable(finished.rows, provenanceOf(finished.plan)).trimEnd(),
    ...answersText(answers),
    ...sweepDifferenceText(differences),
    "",
    `${finished.folder}: ${finished.plan.trials.length} trials, ${finished.made} of them made now; \`offload report\` draws its figures`,
  ].join("\n");
  const { folder, made, rows } = finished;
  const trials = finished.plan.trials.length;
  printResult(format, exitCodes.ok, text, { folder, trials, made, rows, answers, differences });
};

/**
 * Makes the trials of a sweep that are missing, then its Parquet file.
 *
 * @throws Failure `config/invalid` when the folder holds another sweep, `trial/failed` when a trial fails
 */
export const runSweep = async (source: ExperimentSource, options: SweepOptions): Promise<FinishedSweep> => {
  const { on, processes = availableParallelism(), sbatch = [] } = options;
  const plan = sweepPlan(source.experiment, options.commit ?? (await commitOfCode()));
  const path = options.out ?? join("sweeps", `${plan.name}-${digest(planText(plan))}`);
  const folder = await SweepFolder.create(path, source.text, plan).catch((error: unknown) => {
    throw new Failure("config/invalid", messageOf(error), { cause: error });
  });
  const total = plan.trials.length;
  const missing = (await folder.missing()).length;
  const progress = new ProgressLine();
  if (missing < total) progress.done(`${path}: ${total - missing} of ${total} trials were there already`);
  let took: TrialsTook | undefined;
  if (on === "slurm") {
    await runOnSlurm({
      folder: resolve(path),
      command: [process.execPath, join(distFolder, "cli.mjs")],
      concurrency: options.processes,
      sbatchArguments: sbatch,
      minTrials: trialsPerTask,
      trials: plan.trials.map(({ number }) => number),
      onProgress: ({ jobId, done, pending, running }) =>
        progress.update("slurm", `job ${jobId}: ${done} of ${total} trials, ${pending} tasks wait, ${running} run`),
      say: (line) => progress.done(line),
    });
  } else {
    const started = performance.now();
    progress.update("trials", `${total - missing} of ${total} trials`);
    took = await runLocally(folder, processes, options.trainings, ({ made, workShare }) => {
      const left = ((performance.now() - started) / 1000) * (1 / workShare - 1);
      const remaining = workShare > 0.01 ? `, ${minutes(left)} left` : "";
      progress.update("trials", `${total - missing + made} of ${total} trials${remaining}`);
    });
  }
  if (missing > 0) progress.done(`${total} trials`);
  const { sums, rows, curves } = await collect(folder);
  if (missing > 0) await rm(join(path, sweepFiles.results), { force: true });
  const { writeParquet } = await import("@offloadlab/records/parquet");
  await writeParquet(join(path, sweepFiles.results), sums);
  return {
    folder: path,
    plan,
    sums,
    rows,
    curves,
    made: missing,
    ...(took !== undefined && missing > 0 ? { took } : {}),
  };
};

/** What the trials of a sweep have given. @throws Failure `archive/damaged` when one cannot be read */
export const collect = async (folder: SweepFolder): Promise<Pick<FinishedSweep, "sums" | "rows" | "curves">> => {
  try {
    const sums = await folder.sums();
    return { sums, rows: sweepRows(sums), curves: await folder.curves() };
  } catch (error) {
    throw new Failure("archive/damaged", messageOf(error), { cause: error });
  }
};

export const provenanceOf = ({ name, commit, seed, trials }: SweepPlan) => ({
  sweep: name,
  commit,
  seed,
  trials: trials.length,
});

/** The code's commit, and whether there is more than it. */
export const commitOfCode = async (): Promise<string> => {
  const { commit, dirty } = await readEnvironment();
  return commit === null ? "unknown" : `${String(commit).slice(0, 12)}${dirty === true ? "+changes" : ""}`;
};

const digest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 8);
