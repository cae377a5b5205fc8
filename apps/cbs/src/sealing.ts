import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  abandonedText,
  answersText,
  archiveFiles,
  attemptsOf,
  type Journal,
  type ResultRow,
  type RunState,
  readRun,
  resultCaption,
  resultTable,
  taskFates,
  tooManyAbandoned,
  violatedConditions,
} from "@offloadlab/records";
import { factsOf, type Results, resultsFrom } from "./trial-results.ts";

/** How a run ended, and what it found. */
export interface Verdict {
  readonly state: RunState;
  readonly reasons: readonly string[];
  readonly rows: readonly ResultRow[];
}

/** What a run's archive says, sealed or not. */
export const resultsOf = async (folder: string): Promise<Results> => {
  const { settings, trials, journals } = await readRun(folder);
  return resultsFrom(settings, trials, factsOf(settings, trials, journals));
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
  const run = await readRun(folder);
  const { journals, clockSpeed, hardware, scheduled, abandoned } = run;
  const fates = taskFates(journals);
  for (const { trial, task, ends } of fates) if (ends.length === 0) journal.write({ kind: "lost", trial, task });
  // What was abandoned counts for nothing: there, a task that nobody saw the end of spoils no number.
  const cut = new Set(attemptsOf(journals.get("cbs") ?? []).flatMap((a) => (a.abandoned === null ? [] : [a.number])));
  const lost = fates
    .filter(({ trial }) => !cut.has(trial))
    .filter(({ ends }) => ends.length === 0 || ends.some(({ outcome }) => outcome === "lost")).length;
  const tooMany = tooManyAbandoned(scheduled, abandoned);
  const all = [
    ...reasons,
    ...(lost > 0 ? [`${lost} of ${fates.length} tasks were lost`] : []),
    ...(state === "complete" && tooMany !== null ? [tooMany] : []),
    ...(state === "complete" ? violatedConditions(run) : []),
  ];
  const final: RunState = state === "complete" && all.length > 0 ? "invalid" : state;
  journal.write({ kind: "run", state: final, ...(all.length > 0 ? { reason: all.join("; ") } : {}) });
  await journal.close();
  const { results: rows, answers } = await resultsOf(folder);
  const results = { hardware, clockSpeed, abandoned, rows, ...(answers.length > 0 ? { answers } : {}) };
  await writeFile(join(folder, archiveFiles.results), `${JSON.stringify(results, null, 2)}\n`);
  const told = [...abandonedText(abandoned), ...answersText(answers)];
  const lines = [resultTable(rows), "", resultCaption(hardware, clockSpeed), ...told];
  await writeFile(join(folder, archiveFiles.table), `${lines.join("\n")}\n`);
  return { state: final, reasons: all, rows };
};
