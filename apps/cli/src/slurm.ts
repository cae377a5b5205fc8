import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure, messageOf } from "@offloadlab/protocol";
import { type ArrayRequest, type ArrayState, arrayOfName, arrayState, submitArray } from "./slurm-commands.ts";
import { chunksOf, slurmFiles } from "./slurm-job.ts";

/** A sweep in a folder that all nodes of a cluster share, and how its trials are to run there. */
export interface SlurmSweep extends Pick<ArrayRequest, "folder" | "command" | "concurrency" | "sbatchArguments"> {
  /** The numbers of all trials, done or not, in ascending order. */
  readonly trials: readonly number[];
  /** At most so many array tasks. */
  readonly maxTasks?: number;
  /** At least so many trials in each of them. */
  readonly minTrials?: number;
  readonly pollMilliseconds?: number;
  readonly onProgress: (progress: SlurmProgress) => void;
  /** What happens besides progress, in a line. */
  readonly say: (line: string) => void;
}

/** How far a sweep is; trials are done, array tasks wait and run. */
export interface SlurmProgress extends ArrayState {
  readonly jobId: string;
  readonly done: number;
  readonly total: number;
}

/** `job.json`: written before the submission without its number, so that no end of this process loses an array. */
interface SlurmJob {
  readonly name: string;
  readonly jobId: string | null;
  readonly chunks: readonly (readonly number[])[];
}

type SubmittedJob = SlurmJob & { readonly jobId: string };

const defaultMaxTasks = 200;
const defaultPollMilliseconds = 10_000;
/** A first array, and two that bring nothing: a trial that fails always ends the sweep in its third round. */
const maxFruitlessRounds = 2;
/** A controller may be restarted. */
const maxSilenceMilliseconds = 600_000;
const logLines = 12;

/**
 * Runs the trials of a sweep that are not done, as tasks of a Slurm array, and waits for them.
 *
 * An array that an earlier process has submitted is waited for instead of a second one. What is missing once the array
 * is gone is submitted again, until two arrays in a row have made no trial. An array that hits its time limit has made
 * some, so it may take any number of rounds.
 *
 * @throws Failure `config/invalid` when there is no Slurm or it refuses the array
 * @throws Failure `peer/unreachable` when Slurm does not answer for ten minutes
 * @throws Failure `trial/failed` with the end of a log when trials keep failing
 */
export const runOnSlurm = async (sweep: SlurmSweep): Promise<void> => {
  const { folder, say } = sweep;
  let missing = await missingTrials(sweep);
  const earlier = missing.length === 0 ? undefined : await runningJob(folder);
  if (earlier !== undefined) {
    say(`waiting for job ${earlier.jobId}, which an earlier command has submitted`);
    missing = await untilGone(sweep, earlier);
  }
  for (let fruitless = 0; missing.length > 0; ) {
    const job = await submit(sweep, missing);
    say(`submitted job ${job.jobId}: ${count(missing, "trial")} in ${count(job.chunks, "task")}`);
    const left = await untilGone(sweep, job);
    fruitless = left.length < missing.length ? 0 : fruitless + 1;
    if (fruitless === maxFruitlessRounds) throw await failureOf(folder, job, left);
    if (left.length > 0) say(`job ${job.jobId} has ended without ${count(left, "trial")}`);
    missing = left;
  }
};

const count = (things: readonly unknown[], noun: string): string =>
  `${things.length} ${noun}${things.length === 1 ? "" : "s"}`;

const missingTrials = async ({ folder, trials }: SlurmSweep): Promise<number[]> => {
  const names = new Set(await readdir(join(folder, "trials")).catch(() => []));
  return trials.filter((trial) => !names.has(`${trial}.json`));
};

/** The array that an earlier process has submitted, unless it is gone. */
const runningJob = async (folder: string): Promise<SubmittedJob | undefined> => {
  const text = await readFile(join(folder, slurmFiles.job), "utf8").catch(() => null);
  if (text === null) return undefined;
  const job = JSON.parse(text) as SlurmJob;
  const jobId = job.jobId ?? (await arrayOfName(job.name));
  if (jobId === undefined) return undefined;
  const { state } = await arrayState({ jobId, name: job.name });
  return state === "gone" ? undefined : { ...job, jobId };
};

const submit = async (sweep: SlurmSweep, missing: readonly number[]): Promise<SubmittedJob> => {
  const { folder, maxTasks = defaultMaxTasks, minTrials = 1 } = sweep;
  const name = `${basename(folder).replace(/[^\w.-]/g, "_")}-${randomBytes(4).toString("hex")}`;
  const job: SlurmJob = { name, jobId: null, chunks: chunksOf(missing, { maxTasks, minTrials }) };
  await writeJob(folder, job);
  const submitted = { ...job, ...(await submitArray({ ...sweep, ...job })) };
  await writeJob(folder, submitted);
  return submitted;
};

const writeJob = async (folder: string, job: SlurmJob): Promise<void> => {
  await mkdir(join(folder, slurmFiles.folder), { recursive: true });
  const file = join(folder, slurmFiles.job);
  await writeFile(`${file}.new`, `${JSON.stringify(job)}\n`);
  await rename(`${file}.new`, file);
};

/** Waits until an array is gone or nothing is missing any more. @returns the trials that are missing then */
const untilGone = async (sweep: SlurmSweep, job: SubmittedJob): Promise<number[]> => {
  const { trials, pollMilliseconds = defaultPollMilliseconds, onProgress } = sweep;
  for (let answeredAt = performance.now(); ; ) {
    const state = await arrayState(job).catch((error: unknown) => {
      if (!(error instanceof Failure) || error.code !== "peer/unreachable") throw error;
      if (performance.now() - answeredAt > maxSilenceMilliseconds) throw error;
      sweep.say(`${messageOf(error)}; asking again`);
      return undefined;
    });
    // The files of other nodes may appear later on this one.
    if (state?.state === "gone") await sleep(pollMilliseconds);
    const missing = await missingTrials(sweep);
    if (state !== undefined) {
      answeredAt = performance.now();
      onProgress({ ...state, jobId: job.jobId, done: trials.length - missing.length, total: trials.length });
    }
    if (state?.state === "gone" || missing.length === 0) return missing;
    await sleep(pollMilliseconds);
  }
};

/** Says what a task that left trials behind has logged last. */
const failureOf = async (folder: string, job: SubmittedJob, left: readonly number[]): Promise<Failure> => {
  const summary = `${count(left, "trial")} failed in every attempt`;
  for (const trial of left) {
    const task = job.chunks.findIndex((chunk) => chunk.includes(trial));
    const file = join(folder, slurmFiles.log(job.jobId, task));
    const log = (await readFile(file, "utf8").catch(() => "")).trimEnd();
    if (log === "") continue;
    const tail = log.split("\n").slice(-logLines).join("\n");
    return new Failure("trial/failed", `${summary}; trial ${trial} says in ${file}:\n${tail}`);
  }
  return new Failure("trial/failed", `${summary}, and there is no log of job ${job.jobId} in ${folder}`);
};
