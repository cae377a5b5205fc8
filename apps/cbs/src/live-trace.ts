import { join } from "node:path";
import { nodeIds, type Settings, serverId } from "@offloadlab/model";
import type { LiveTrace } from "@offloadlab/protocol";
import { archiveFiles, deviceOf, type JournalRecord, readJournal, taskTrace, trialsOf } from "@offloadlab/records";

/** A run's folder, and what its journals are read with. */
export interface TracedRun {
  readonly folder: string;
  readonly settings: Settings;
  /** Lab seconds per real second. */
  readonly clockSpeed: number;
}

/**
 * A task's timeline from the journals that a run's folder has so far: nodes ship theirs while the run lasts.
 *
 * @param trial the last one that has the task, when it is not given
 * @returns why there is none, as a sentence
 */
export const liveTrace = async (
  { folder, settings, clockSpeed }: TracedRun,
  task: string,
  trial?: number,
): Promise<LiveTrace | string> => {
  const device = deviceOf(task);
  if (!device.startsWith("ed-") || !nodeIds(settings).includes(device))
    return `${task} is no task of this run; tasks are called ed-1-1-0, ed-1-1-1 and so on`;
  const nodes = ["cbs", serverId(Number(device.split("-")[1]) - 1), device];
  const journals = new Map<string, readonly JournalRecord[]>();
  for (const node of nodes)
    journals.set(node, await readJournal(join(folder, archiveFiles.journal(node))).catch(() => []));
  const trials = trialsOf(journals, task);
  const chosen = trial ?? trials.at(-1);
  if (chosen === undefined || !trials.includes(chosen))
    return `${device} has journalled no ${task}${trial === undefined ? "" : ` in trial ${trial}`} so far`;
  return { task, trial: chosen, trials, events: taskTrace(settings, journals, clockSpeed, chosen, task) };
};
