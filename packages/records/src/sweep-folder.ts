import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeDurably } from "./archive.ts";
import type { Point } from "./experiment.ts";
import { isLearned, planFromText, planText, type SweepPlan, type Trained, type TrialResult } from "./sweep-plan.ts";
import type { EpochSums } from "./sweep-rows.ts";

/**
 * The files of a sweep's folder:
 *
 * - `manifest.yaml` as given, `plan.json` with every trial
 * - `trials/<number>.json`, each there whole or not at all; `curves/<number>.json` beside those that trained a method
 * - `results.parquet` and the report, once all trials are there
 */
export const sweepFiles = {
  manifest: "manifest.yaml",
  plan: "plan.json",
  trials: "trials",
  trial: (number: number) => `trials/${number}.json`,
  curves: "curves",
  curve: (number: number) => `curves/${number}.json`,
  results: "results.parquet",
} as const;

/** How a trial's method learned. */
export interface TrialCurve extends Omit<Trained, "weights"> {
  readonly trial: number;
  readonly policy: string;
  readonly repetition: number;
  readonly variables: Point["variables"];
}

/** A sweep on disk, that is made by any number of processes and goes on where it was stopped. */
export class SweepFolder {
  readonly path: string;
  readonly plan: SweepPlan;

  private constructor(path: string, plan: SweepPlan) {
    this.path = path;
    this.plan = plan;
  }

  /**
   * Makes a folder for a plan, or opens the one that has been made for it.
   *
   * @throws RangeError when the folder holds another sweep
   */
  static async create(path: string, manifest: string, plan: SweepPlan): Promise<SweepFolder> {
    await mkdir(join(path, sweepFiles.trials), { recursive: true });
    const text = planText(plan);
    const found = await readFile(join(path, sweepFiles.plan), "utf8").catch(() => undefined);
    if (found === undefined) {
      await writeDurably(join(path, sweepFiles.manifest), manifest);
      await writeDurably(join(path, sweepFiles.plan), text);
    } else if (found !== text) {
      throw new RangeError(`${path} holds another sweep: give this one a folder of its own, or remove that one`);
    }
    return new SweepFolder(path, plan);
  }

  /** @throws Error when the folder holds no sweep */
  static async open(path: string): Promise<SweepFolder> {
    return new SweepFolder(path, planFromText(await readFile(join(path, sweepFiles.plan), "utf8")));
  }

  /** Numbers of the trials that are still to be made, in their order. */
  async missing(): Promise<number[]> {
    const done = new Set(await readdir(join(this.path, sweepFiles.trials)));
    return this.plan.trials.map(({ number }) => number).filter((number) => !done.has(`${number}.json`));
  }

  async write(number: number, { sums, trained }: TrialResult): Promise<void> {
    if (trained !== undefined) {
      const { records, rounds, processorSeconds } = trained;
      await mkdir(join(this.path, sweepFiles.curves), { recursive: true });
      const text = `${JSON.stringify({ records, rounds, processorSeconds })}\n`;
      await writeDurably(join(this.path, sweepFiles.curve(number)), text);
    }
    await writeDurably(join(this.path, sweepFiles.trial(number)), `${JSON.stringify(sums)}\n`);
  }

  /**
   * How methods learned, of all trials that trained one, in their order.
   *
   * @throws SyntaxError when a file has been changed
   */
  async curves(): Promise<TrialCurve[]> {
    const learned = this.plan.trials.filter(({ policy }) => isLearned(policy));
    return Promise.all(
      learned.map(async ({ number, point, policy, repetition }) => {
        const curve = (await this.#json(sweepFiles.curve(number))) as Omit<Trained, "weights">;
        return { trial: number, policy, repetition, variables: (this.plan.points[point] as Point).variables, ...curve };
      }),
    );
  }

  /**
   * What all trials have given, in their order.
   *
   * @throws SyntaxError when a file has been changed
   */
  async sums(): Promise<EpochSums[]> {
    const all: EpochSums[] = [];
    for (const { number } of this.plan.trials)
      all.push(...((await this.#json(sweepFiles.trial(number))) as EpochSums[]));
    return all;
  }

  async #json(name: string): Promise<unknown> {
    const file = join(this.path, name);
    const text = await readFile(file, "utf8");
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new SyntaxError(`${file}: ${(error as Error).message}; remove it, and the sweep makes it again`);
    }
  }
}
