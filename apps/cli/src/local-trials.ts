import { spawn } from "node:child_process";
import { join } from "node:path";
import { Failure } from "@offloadlab/protocol";
import type { SweepFolder } from "@offloadlab/records";
import { distFolder } from "./paths.ts";

/** The program that simulates trials: `<program> <sweep> <numbers>`. */
const trialProgram = join(distFolder, "trial.mjs");

const tailLines = 12;

/**
 * Simulates the trials of a sweep that are missing, each in a process of its own.
 *
 * @param processes how many at once
 * @param onDone is told whenever a trial is done
 * @throws Failure `trial/failed` with the end of what a trial said that failed; the others have ended by then
 */
export const runLocally = async (sweep: SweepFolder, processes: number, onDone: () => void): Promise<void> => {
  const waiting = await sweep.missing();
  const failures: Failure[] = [];
  const worker = async (): Promise<void> => {
    for (let number = waiting.shift(); number !== undefined; number = waiting.shift()) {
      const failure = await runTrial(sweep.path, number);
      if (failure === undefined) onDone();
      else {
        failures.push(failure);
        waiting.length = 0;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(processes, waiting.length) }, worker));
  const [failure] = failures;
  if (failure !== undefined) throw failure;
};

const runTrial = (folder: string, number: number): Promise<Failure | undefined> =>
  new Promise((resolve) => {
    // The channel closes when this process dies, and the trial ends with it.
    const child = spawn(process.execPath, ["--enable-source-maps", trialProgram, folder, String(number)], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let said = "";
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
