import type { JournalRecord, OutcomeRecord } from "./journal-records.ts";

/** The journals of a run by node, `cbs` among them. */
export type Journals = ReadonlyMap<string, readonly JournalRecord[]>;

/** A task as the journals together tell of it. */
export interface TaskFate {
  readonly trial: number;
  readonly task: string;
  /** The device that its id names. */
  readonly device: string;
  /** Ends that its device recorded; more than one is an error, none means lost. */
  readonly ends: readonly OutcomeRecord[];
  /** Whether the C-BS declared it lost. */
  readonly declaredLost: boolean;
}

/** The device in a task's id `<device>-<number>`. */
export const deviceOf = (task: string): string => task.slice(0, task.lastIndexOf("-"));

/**
 * Brings the journals of EDs, MECs and the C-BS together: one fate for every task that any of them saw.
 *
 * A device that is killed may lose the line that says it generated a task which its MEC already decided on: such a task
 * counts as generated.
 */
export const taskFates = (journals: Journals): TaskFate[] => {
  const fates = new Map<string, { trial: number; task: string; ends: OutcomeRecord[]; declaredLost: boolean }>();
  const fate = (trial: number, task: string) => {
    const key = `${trial} ${task}`;
    const known = fates.get(key) ?? { trial, task, ends: [], declaredLost: false };
    fates.set(key, known);
    return known;
  };
  for (const records of journals.values()) {
    for (const record of records) {
      if (record.kind === "generated" || record.kind === "service") fate(record.trial, record.task);
      else if (record.kind === "outcome") fate(record.trial, record.task).ends.push(record);
      else if (record.kind === "lost") fate(record.trial, record.task).declaredLost = true;
      else if (record.kind === "action") for (const { task } of record.decisions) fate(record.trial, task);
    }
  }
  return [...fates.values()].map((known) => ({ ...known, device: deviceOf(known.task) }));
};
