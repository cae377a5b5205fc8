import { countedJournals } from "./attempts.ts";
import type { JournalRecord } from "./journal-records.ts";
import type { Journals } from "./reconcile.ts";

/** How far a board's clock may be from true time, s: reports belong to sub-slots of a quarter of a second. */
const offsetLimit = 0.01;
/** Part of a node's time that its meter may have missed. */
const unseenLimit = 0.02;
/** Of rounding, J. */
const tolerance = 1e-6;

/**
 * Conditions of real boards: they ran at their pinned clock, knew the time, and their meters saw what they drew.
 *
 * @returns those that are violated, one sentence each; none of emulated hardware, whose journals have no such records
 */
export const boardConditions = (journals: Journals): string[] =>
  [...countedJournals(journals)].flatMap(([node, records]) =>
    [...new Set(records.flatMap(violations))].map((sentence) => `${node} ${sentence}`),
  );

const violations = (record: JournalRecord): string[] => {
  if (record.kind === "energy") return energyViolations(record);
  if (record.kind !== "board") return [];
  const { trial, throttled, clockOffsetSeconds, clockOffsetBoundSeconds } = record;
  const offset = Math.abs(clockOffsetSeconds ?? 0) + (clockOffsetBoundSeconds ?? 0);
  return [
    ...(throttled === true ? [`was throttled in trial ${trial}; cool it, and check its supply`] : []),
    ...(offset > offsetLimit
      ? [`did not know the time to ${1000 * offsetLimit} ms in trial ${trial}; chronyc sources says why`]
      : []),
  ];
};

const energyViolations = (record: JournalRecord & { kind: "energy" }): string[] => {
  const { trial, totalJoules, tasksJoules, idleJoules, coverageRatio, failedReadings } = record;
  const gap = totalJoules - tasksJoules - idleJoules;
  return [
    ...(coverageRatio < 1 - unseenLimit
      ? [
          `has a meter that saw ${(100 * coverageRatio).toFixed(0)} % of trial ${trial} (${failedReadings} readings failed); check its wires`,
        ]
      : []),
    // Each of the three was added up for itself.
    ...(Math.abs(gap) > tolerance
      ? [
          `${gap > 0 ? "lost" : "counted twice"} ${Math.abs(gap)} J between its tasks and its idle power in trial ${trial}`,
        ]
      : []),
  ];
};
