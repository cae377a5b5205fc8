import { spawn } from "node:child_process";
import { join } from "node:path";
import { Failure } from "@offloadlab/protocol";
import { isLearned, type SweepFolder, type SweepPlan } from "@offloadlab/records";
import { distFolder } from "./paths.ts";
import type { TrialCost, TrialProgress } from "./run-trials.ts";

/** The program that simulates trials: `<program> <sweep> <numbers> <trainings>`. */
const trialProgram = join(distFolder, "trial.mjs");

const tailLines = 12;

/** How far the trials are that were missing. */
export interface TrialsProgress {
  readonly made: number;
  /** Of their work, [0, 1]. */
  readonly workShare: number;
}

/** What making trials took. */
export interface TrialsTook {
  readonly wallSeconds: number;
  /** At once. */
  readonly processes: number;
  /** Of all their processes together. */
  readonly processorSeconds: number;
}

/**
 * Simulates the trials of a sweep that are missing, each in a process of its own.
 *
 * @param processes how many at once
 * @param trainings where finished trainings are kept; in the sweep's folder without it
 * @throws Failure `trial/failed` with the end of what a trial said that failed; the others have ended by then
 */
export const runLocally = async (
  sweep: SweepFolder,
  processes: number,
  trainings: string | undefined,
  onProgress: (progress: TrialsProgress) => void,
): Promise<TrialsTook> => {
  const started = performance.now();
  const waiting = await sweep.missing();
  const failures: Failure[] = [];
  const work = new Map(waiting.map((number) => [number, workOf(sweep.plan, number)]));
  const total = [...work.values()].reduce((sum, each) => sum + each, 0);
  const shares = new Map<number, number>();
  let made = 0;
  let processorSeconds = 0;
  const tell = (number: number, share: number): void => {
    shares.set(number, share);
    const done = [...shares].reduce((sum, [each, part]) => sum + part * (work.get(each) ?? 0), 0);
    onProgress({ made, workShare: done / total });
  };
  const worker = async (): Promise<void> => {
    for (let number = waiting.shift(); number !== undefined; number = waiting.shift()) {
      const current = number;
      const onEpoch = ({ done, all }: TrialProgress): void => tell(current, done / all);
      const onCost = (cost: TrialCost): void => {
        processorSeconds += cost.processorSeconds;
      };
      const failure = await runTrial(sweep.path, number, trainings, onEpoch, onCost);
      if (failure === undefined) {
        made += 1;
        tell(number, 1);
      } else {
        failures.push(failure);
        waiting.length = 0;
      }
    }
  };
  const atOnce = Math.min(processes, waiting.length);
  await Promise.all(Array.from({ length: atOnce }, worker));
  const [failure] = failures;
  if (failure !== undefined) throw failure;
  return { wallSeconds: (performance.now() - started) / 1000, processes: atOnce, processorSeconds };
};

/** What a trial costs beside others: an epoch of training is as much work as some dozens of a policy. */
const workOf = ({ trials, points, epochs }: SweepPlan, number: number): number => {
  const { policy, point } = trials[number - 1] as SweepPlan["trials"][number];
  const trainingEpochs = isLearned(policy) ? (points[point]?.training.epochs ?? 0) : 0;
  return epochs * (policy === "oracle" ? 10 : 1) + trainingEpochs * 50;
};

const runTrial = (
  folder: string,
  number: number,
  trainings: string | undefined,
  onProgress: (progress: TrialProgress) => void,
  onCost: (cost: TrialCost) => void,
): Promise<Failure | undefined> =>
  new Promise((resolve) => {
    const parameters = [folder, String(number), ...(trainings === undefined ? [] : [trainings])];
    // The channel closes when this process dies, and the trial ends with it.
    const child = spawn(process.execPath, ["--enable-source-maps", trialProgram, ...parameters], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let said = "";
    child.on("message", (message) => {
      const told = message as TrialProgress | TrialCost;
      if ("processorSeconds" in told) onCost(told);
      else onProgress(told);
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).split("\n").slice(-tailLines).join("\n");
    });
    child.once("error", (error) =>
      resolve(new Failure("trial/failed", `trial ${number} of ${folder} did not start`, { cause: error })),
    );
    child.once("close", (code, signal) => {
      const how = signal === null ? `with status ${code}` : `by ${signal}`;
      resolve(
        code === 0
          ? undefined
          : new Failure("trial/failed", `trial ${number} of ${folder} ended ${how}:\n${said.trim()}`),
      );
    });
  });
