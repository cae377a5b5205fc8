import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeDurably } from "./archive.ts";
import { planFromText, planText, type SweepPlan } from "./sweep-plan.ts";
import type { EpochSums } from "./sweep-rows.ts";

/**
 * The files of a sweep's folder:
 *
 * - `manifest.yaml` as given, `plan.json` with every trial
 * - `trials/<number>.json`, each there whole or not at all
 * - `results.parquet` and the report, once all trials are there
 */
export const sweepFiles = {
  manifest: "manifest.yaml",
  plan: "plan.json",
  trials: "trials",
  trial: (number: number) => `trials/${number}.json`,
  results: "results.parquet",
} as const;

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

  async write(number: number, sums: readonly EpochSums[]): Promise<void> {
    await writeDurably(join(this.path, sweepFiles.trial(number)), `${JSON.stringify(sums)}\n`);
  }

  /**
   * What all trials have given, in their order.
   *
   * @throws SyntaxError when a file has been changed
   */
  async sums(): Promise<EpochSums[]> {
    const all: EpochSums[] = [];
    for (const { number } of this.plan.trials) {
      const file = join(this.path, sweepFiles.trial(number));
      const text = await readFile(file, "utf8");
      try {
        all.push(...(JSON.parse(text) as EpochSums[]));
      } catch (error) {
        throw new SyntaxError(`${file}: ${(error as Error).message}; remove it, and the sweep makes it again`);
      }
    }
    return all;
  }
}
