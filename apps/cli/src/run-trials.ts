import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { SweepFolder, simulateTrial } from "@offloadlab/records";
import { keptTrainings } from "./training-store.ts";

/** How far one trial is: epochs of training and evaluation. */
export interface TrialProgress {
  readonly number: number;
  readonly done: number;
  readonly all: number;
}

/** What a process of trials has taken, all its threads together. */
export interface TrialCost {
  readonly processorSeconds: number;
}

/**
 * Simulates trials of a sweep that are not there yet, one after the other.
 *
 * @param numbers as `3`, `3-7` or `3,5-7`
 * @param trainings where finished trainings are kept
 * @throws RangeError for numbers that the sweep does not have
 * @throws the error of the first trial that fails, once the others are done
 */
export const runTrials = async (
  folder: string,
  numbers: string,
  trainings: string = join(folder, "trainings"),
  onProgress: (progress: TrialProgress) => void = () => {},
): Promise<void> => {
  const sweep = await SweepFolder.open(folder);
  const train = keptTrainings(trainings, sweep.plan.commit);
  const missing = new Set(await sweep.missing());
  const failures: unknown[] = [];
  for (const number of numbersOf(numbers)) {
    const trial = sweep.plan.trials[number - 1];
    if (trial === undefined) {
      const file = join(folder, "plan.json");
      throw new RangeError(`expected trials from 1 to ${sweep.plan.trials.length} (${file}), got ${number}`);
    }
    if (!missing.has(number)) continue;
    const onEpoch = (done: number, all: number): Promise<void> => {
      onProgress({ number, done, all });
      return nextTurn();
    };
    try {
      await sweep.write(number, await simulateTrial(sweep.plan, trial, onEpoch, train));
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
};

const numbersOf = (text: string): number[] =>
  text.split(",").flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split("-").map(Number);
    if (!(Number.isInteger(first) && Number.isInteger(last) && first <= last)) {
      throw new RangeError(`expected numbers of trials as 3, 3-7 or 3,5-7, got ${text}`);
    }
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
