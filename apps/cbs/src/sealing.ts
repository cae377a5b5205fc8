import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Settings } from "@offloadlab/model";
import type { LiveEpoch } from "@offloadlab/protocol";
import {
  archiveFiles,
  type Journal,
  type Journals,
  type ResultRow,
  type RunState,
  readRun,
  resultCaption,
  resultRows,
  resultTable,
  type Trial,
  type TrialSums,
  taskFates,
  trialSums,
  violatedConditions,
} from "@offloadlab/records";

/** How a run ended, and what it found. */
export interface Verdict {
  readonly state: RunState;
  readonly reasons: readonly string[];
  readonly rows: readonly ResultRow[];
}

/** What the trials that have come to their end say: the comparison, and how the policies that learn did in each. */
export interface Results {
  readonly results: readonly ResultRow[];
  readonly learning: readonly LiveEpoch[];
}

export const resultsOf = async (folder: string): Promise<Results> => {
  const { settings, trials, journals } = await readRun(folder);
  const sums = trialSums(settings, trials, taskFates(journals));
  return { results: resultRows(sums), learning: learningCurve(settings, trials, journals, sums) };
};

/** Reward per task in each trial of a policy that learns, by community. */
const learningCurve = (
  { communities }: Settings,
  trials: readonly Trial[],
  journals: Journals,
  sums: readonly TrialSums[],
): LiveEpoch[] => {
  const learned = new Set([...journals.values()].flat().flatMap((r) => (r.kind === "learning" ? [r.trial] : [])));
  return trials
    .filter(({ number }) => learned.has(number))
    .map(({ number: trial, policy }) => ({
      policy,
      trial,
      rewardPerTask: communities.map(({ name }) => {
        const sum = sums.find((each) => each.trial === trial && each.community === name);
        return sum === undefined || sum.tasks === 0 ? null : sum.reward / sum.tasks;
      }),
    }));
};

/**
 * Settles a run whose journals have been collected: tasks that nobody saw the end of are lost, violated conditions make
 * it invalid, results are written. Closes the journal; only the seal is left.
 *
 * @param state how it ended so far
 * @param reasons why, when it is not complete
 */
export const settleRun = async (
  folder: string,
  journal: Journal,
  state: RunState,
  reasons: readonly string[],
): Promise<Verdict> => {
  await journal.flush();
  const { journals, clockSpeed, hardware, laboratory } = await readRun(folder);
  const fates = taskFates(journals);
  for (const { trial, task, ends } of fates) if (ends.length === 0) journal.write({ kind: "lost", trial, task });
  const lost = fates.filter(({ ends }) => ends.length === 0 || ends.some(({ outcome }) => outcome === "lost")).length;
  const all = [
    ...reasons,
    ...(lost > 0 ? [`${lost} of ${fates.length} tasks were lost`] : []),
    ...(state === "complete" ? violatedConditions(journals, laboratory.uplinkRateRatios) : []),
  ];
  const final: RunState = state === "complete" && all.length > 0 ? "invalid" : state;
  journal.write({ kind: "run", state: final, ...(all.length > 0 ? { reason: all.join("; ") } : {}) });
  await journal.close();
  const { results: rows } = await resultsOf(folder);
  await writeFile(join(folder, archiveFiles.results), `${JSON.stringify({ hardware, clockSpeed, rows }, null, 2)}\n`);
  await writeFile(join(folder, archiveFiles.table), `${resultTable(rows)}\n\n${resultCaption(hardware, clockSpeed)}\n`);
  return { state: final, reasons: all, rows };
};
