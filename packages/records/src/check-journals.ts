import { isSuccess, meetsDeadline, nodeIds, type Settings, sharesFit, withinCharge } from "@offloadlab/model";
import { joules, seconds } from "@offloadlab/units";
import { archiveFiles } from "./archive.ts";
import type { ActionRecord, BatteryRecord, JournalRecord, OutcomeRecord } from "./journal-records.ts";
import { type Journals, taskFates } from "./reconcile.ts";
import type { Trial } from "./schedule.ts";

/**
 * What the journals of a run must fulfil.
 *
 * @param complete whether the run claims to be complete, so that nothing may be lost or cut off
 * @returns `file: what is wrong`, empty when all holds
 */
export const checkJournals = (
  settings: Settings,
  trials: readonly Trial[],
  journals: Journals,
  complete: boolean,
): string[] => [
  ...[...journals].flatMap(([node, records]) => [
    ...clockProblems(node, records),
    ...records.flatMap((record) => recordProblems(settings, node, record)),
  ]),
  ...conservationProblems(journals),
  ...(complete ? completenessProblems(settings, trials, journals) : []),
];

const problem = (node: string, what: string): string => `${archiveFiles.journal(node)}: ${what}`;

/** A process's clock never goes back. */
const clockProblems = (node: string, records: readonly JournalRecord[]): string[] => {
  let last = Number.NEGATIVE_INFINITY;
  for (const [index, record] of records.entries()) {
    if (typeof record.time !== "number") return [problem(node, `line ${index + 1} has no time`)];
    if (record.kind !== "boot" && record.time < last) {
      return [problem(node, `line ${index + 1}: the clock goes back by ${(last - record.time).toFixed(6)} s`)];
    }
    last = record.time;
  }
  return [];
};

const recordProblems = (settings: Settings, node: string, record: JournalRecord): string[] => {
  if (record.kind === "action") return actionProblems(node, record);
  if (record.kind === "outcome") return outcomeProblems(settings, node, record);
  if (record.kind === "battery") return batteryProblems(settings, node, record);
  return [];
};

/** C1, C4, C5 on an applied action, tasks in flight included. */
const actionProblems = (node: string, action: ActionRecord): string[] => {
  const where = `trial ${action.trial}, sub-slot ${action.subSlot}`;
  const { decisions } = action;
  const bandwidth = [action.bandwidthInUseRatio, ...decisions.map((decision) => decision.bandwidthShare)];
  const compute = [action.computeInUseRatio, ...decisions.map((decision) => decision.computeShare)];
  return [
    ...decisions
      .filter(({ placement, bandwidthShare, computeShare }) =>
        placement === "edge" ? !(bandwidthShare > 0 && computeShare > 0) : bandwidthShare !== 0 || computeShare !== 0,
      )
      .map(({ task }) => problem(node, `${where}: C1 is broken for ${task}: its shares do not fit its placement`)),
    ...(sharesFit(bandwidth)
      ? []
      : [problem(node, `${where}: C4 is broken: bandwidth shares ${bandwidth.join(" + ")} > 1`)]),
    ...(sharesFit(compute) ? [] : [problem(node, `${where}: C5 is broken: compute shares ${compute.join(" + ")} > 1`)]),
  ];
};

/** C2 and C3: what is recorded as a success kept to the deadline and could be paid for. */
const outcomeProblems = (settings: Settings, node: string, end: OutcomeRecord): string[] => {
  const intime = meetsDeadline(seconds(end.delaySeconds), settings.deadline);
  const paid = withinCharge(joules(end.energyJoules), joules(end.chargeJoules));
  const what = `trial ${end.trial}: ${end.task} is ${end.outcome}`;
  if (isSuccess(end.outcome) && !intime) return [problem(node, `${what} after ${end.delaySeconds} s: C2 is broken`)];
  if (isSuccess(end.outcome) && !paid) {
    return [problem(node, `${what} with ${end.energyJoules} J of ${end.chargeJoules} J: C3 is broken`)];
  }
  if (end.outcome === "late" && intime)
    return [problem(node, `${what} after ${end.delaySeconds} s, within the deadline`)];
  return [];
};

const batteryProblems = (settings: Settings, node: string, battery: BatteryRecord): string[] => {
  const capacity = settings.communities[Number(node.split("-")[1]) - 1]?.device.capacity ?? 0;
  const fits = battery.chargeJoules >= 0 && battery.chargeJoules <= capacity + 1e-9;
  return fits
    ? []
    : [problem(node, `trial ${battery.trial}: a charge of ${battery.chargeJoules} J is outside [0, ${capacity}]`)];
};

/** Generated = sum of outcomes: every task ended once, or was declared lost. */
const conservationProblems = (journals: Journals): string[] =>
  taskFates(journals).flatMap(({ trial, task, device, ends, declaredLost }) => {
    const ended = ends.length + (declaredLost ? 1 : 0);
    return ended === 1 ? [] : [problem(device, `trial ${trial}: ${task} has ${ended} outcomes instead of one`)];
  });

const completenessProblems = (settings: Settings, trials: readonly Trial[], journals: Journals): string[] => {
  return [
    ...nodeIds(settings).flatMap((node) => {
      const ended = new Set(
        (journals.get(node) ?? []).flatMap((record) => (record.kind === "trial-end" ? [record.trial] : [])),
      );
      return trials
        .filter(({ number }) => !ended.has(number))
        .map(({ number }) => problem(node, `trial ${number} has no end`));
    }),
    ...taskFates(journals)
      .filter(({ declaredLost }) => declaredLost)
      .map(({ trial, task }) => problem("cbs", `trial ${trial}: ${task} is lost, but the run calls itself complete`)),
  ];
};
