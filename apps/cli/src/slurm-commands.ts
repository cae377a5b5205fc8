import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Failure } from "@offloadlab/protocol";
import { jobScript, logPattern, slurmFiles } from "./slurm-job.ts";

/** What an array is submitted with. */
export interface ArrayRequest {
  /** Of the sweep: an absolute path, the same on every node. */
  readonly folder: string;
  /** Unique, without commas. */
  readonly name: string;
  /** The trials of each task. */
  readonly chunks: readonly (readonly number[])[];
  /** The beginning of an `offload` command line; absolute paths. */
  readonly command: readonly string[];
  /** How many tasks may run at the same time; undefined leaves it to the cluster. */
  readonly concurrency?: number | undefined;
  /** More arguments for `sbatch`: partition, account, time, memory. */
  readonly sbatchArguments?: readonly string[];
}

export interface ArrayState {
  /** `gone` when every task has ended, however it ended, or nobody knows it any more. */
  readonly state: "pending" | "running" | "gone";
  readonly pending: number;
  readonly running: number;
  /** Why tasks are waiting, in Slurm's words: `Resources`, `Priority`, `JobHeldUser`. */
  readonly reasons: readonly string[];
}

const waitingStates = new Set(["PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD"]);
const endedStates = new Set([
  "BOOT_FAIL",
  "CANCELLED",
  "COMPLETED",
  "DEADLINE",
  "FAILED",
  "NODE_FAIL",
  "OUT_OF_MEMORY",
  "PREEMPTED",
  "REVOKED",
  "TIMEOUT",
]);
/** Slurm has nothing to say about tasks that wait for no reason of their own. */
const noReason = "None";

const maxOutputBytes = 64 * 1024 * 1024;

interface CommandError extends Error {
  readonly code?: number | string;
  readonly stderr?: string;
}

/** @throws Failure `config/invalid` when the command is not there; CommandError when it ends with an error */
const slurm = async (command: "sbatch" | "squeue", args: readonly string[]): Promise<string> => {
  // Habits of the user, such as SQUEUE_STATES, must hide nothing.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("SQUEUE_")));
  const { stdout } = await promisify(execFile)(command, args, { env, maxBuffer: maxOutputBytes }).catch(
    (error: CommandError) => {
      if (error.code !== "ENOENT") throw error;
      throw new Failure(
        "config/invalid",
        `expected Slurm's ${command} on the PATH, found none; start the sweep on a node from which jobs are submitted, or without --on slurm`,
        { cause: error },
      );
    },
  );
  return stdout;
};

const isUnreachable = (stderr: string): boolean =>
  /unable to contact|timed out|connect(ion)? (failure|refused)/i.test(stderr);

/**
 * Submits one array of tasks.
 *
 * @throws Failure `config/invalid` with the words of `sbatch` when it refuses
 * @throws Failure `peer/unreachable` when the controller does not answer; it may have the array all the same
 */
export const submitArray = async (request: ArrayRequest): Promise<{ jobId: string }> => {
  const { folder, name, chunks, command, concurrency, sbatchArguments = [] } = request;
  await mkdir(join(folder, slurmFiles.folder), { recursive: true });
  const script = join(folder, slurmFiles.script);
  await writeFile(script, jobScript(folder, command, chunks));
  const limit = concurrency === undefined ? "" : `%${concurrency}`;
  const array = `--array=0-${chunks.length - 1}${limit}`;
  const files = [`--chdir=${folder}`, `--output=${logPattern(folder)}`];
  const args = [...sbatchArguments, "--parsable", `--job-name=${name}`, array, ...files, script];
  const answer = await slurm("sbatch", args).catch((error: CommandError) => {
    if (error instanceof Failure) throw error;
    const words = (error.stderr ?? error.message).trim();
    throw isUnreachable(words)
      ? new Failure("peer/unreachable", `sbatch got no answer from the cluster; try again later:\n${words}`)
      : new Failure("config/invalid", `sbatch refused an array of ${chunks.length} tasks (${script}):\n${words}`);
  });
  const jobId = /^(\d+)(;.*)?$/m.exec(answer)?.[1];
  if (jobId === undefined)
    throw new Failure("peer/refused", `expected a job's number from sbatch, got ${answer.trim()}`);
  return { jobId };
};

/** The lines that `squeue` prints. @throws Failure `peer/unreachable` when it cannot say */
const squeue = async (args: readonly string[]): Promise<string[]> => {
  const answer = await slurm("squeue", ["--noheader", ...args]).catch((error: CommandError) => {
    if (error instanceof Failure) throw error;
    // What has ended some minutes ago is unknown.
    if (/invalid job id/i.test(error.stderr ?? "")) return "";
    throw new Failure("peer/unreachable", `squeue: ${(error.stderr ?? error.message).trim()}`, { cause: error });
  });
  return answer.split("\n").filter((line) => line !== "");
};

/**
 * How far an array is.
 *
 * @param name another array may have its number by now
 * @throws Failure `peer/unreachable` when the cluster does not say
 */
export const arrayState = async ({ jobId, name }: { jobId: string; name: string }): Promise<ArrayState> => {
  const lines = await squeue(["--array", `--jobs=${jobId}`, "--format=%T|%j|%r"]);
  let pending = 0;
  let running = 0;
  const reasons = new Set<string>();
  for (const [state = "", itsName, reason = noReason] of lines.map((line) => line.split("|"))) {
    if (itsName !== name || endedStates.has(state)) continue;
    if (!waitingStates.has(state)) running += 1;
    else {
      pending += 1;
      if (reason !== noReason) reasons.add(reason);
    }
  }
  const state = running > 0 ? "running" : pending > 0 ? "pending" : "gone";
  return { state, pending, running, reasons: [...reasons] };
};

/**
 * The number of one's own array of this name, while it waits or runs.
 *
 * @throws Failure `peer/unreachable` when the cluster does not say
 */
export const arrayOfName = async (name: string): Promise<string | undefined> => {
  const [line] = await squeue(["--me", `--name=${name}`, "--format=%F"]);
  return line;
};
