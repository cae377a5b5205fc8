import { type Settings, serverId } from "@offloadlab/model";
import type { SubSlotRecord } from "./journal-records.ts";
import { quantile } from "./lease-quality.ts";
import type { Journals } from "./reconcile.ts";
import type { Trial } from "./schedule.ts";

/** How timely the servers of a run decided, in lab seconds; NaN where nothing was decided. */
export interface DecisionTimes {
  /** Sub-slots that a server decided. */
  readonly decided: number;
  /** From a sub-slot's start to its last answer handed to the socket. */
  readonly p50Seconds: number;
  readonly p99Seconds: number;
  /** What of that is the server's own: from when all had reported, or it waited no longer. */
  readonly ownP50Seconds: number;
  readonly ownP99Seconds: number;
  /** Sub-slots of devices, and those of them without a decision in time. */
  readonly deviceSubSlots: number;
  readonly missed: number;
  /** 0 of none */
  readonly missedRatio: number;
}

/**
 * How timely the given trials were decided.
 *
 * A device misses a sub-slot when its report does not reach the decision, when the last answer is handed to its socket after
 * the sub-slot's end, and when nobody decides at all: of a server that is silent there is no record, its sub-slots are
 * counted from the settings.
 */
export const decisionTimes = (settings: Settings, trials: readonly Trial[], journals: Journals): DecisionTimes => {
  const length = settings.timeSlot / settings.subSlotsPerTimeSlot;
  const least = settings.timeSlotCount * settings.subSlotsPerTimeSlot;
  const records: SubSlotRecord[] = [];
  let deviceSubSlots = 0;
  let missed = 0;
  for (const [index, { deviceCount }] of settings.communities.entries()) {
    const own = (journals.get(serverId(index)) ?? []).flatMap((record) => (record.kind === "sub-slot" ? [record] : []));
    for (const { number } of trials) {
      const decided = new Map(own.filter(({ trial }) => trial === number).map((record) => [record.subSlot, record]));
      records.push(...decided.values());
      // Devices leave only at the end: a silent sub-slot has at least those that the next one has.
      let devices: number = deviceCount;
      for (let subSlot = Math.max(least - 1, ...decided.keys()); subSlot >= 0; subSlot -= 1) {
        const record = decided.get(subSlot);
        devices = record?.devices ?? devices;
        deviceSubSlots += devices;
        const inTime = record === undefined || record.handedSeconds > length ? 0 : Math.min(record.reported, devices);
        missed += devices - inTime;
      }
    }
  }
  const handed = records.map(({ handedSeconds }) => handedSeconds);
  const ownTimes = records.map(({ handedSeconds, begunSeconds }) => handedSeconds - begunSeconds);
  return {
    decided: records.length,
    p50Seconds: quantile(handed, 0.5),
    p99Seconds: quantile(handed, 0.99),
    ownP50Seconds: quantile(ownTimes, 0.5),
    ownP99Seconds: quantile(ownTimes, 0.99),
    deviceSubSlots,
    missed,
    missedRatio: deviceSubSlots === 0 ? 0 : missed / deviceSubSlots,
  };
};

/** One line for a report, in real time. @param clockSpeed lab seconds per real second */
export const decisionTimesText = (times: DecisionTimes, clockSpeed: number): string => {
  if (times.decided === 0) return "decisions: none journalled with its time";
  const real = (seconds: number): string => `${((1000 * seconds) / clockSpeed).toFixed(1)} ms`;
  const { p50Seconds, p99Seconds, ownP50Seconds, ownP99Seconds, missed, deviceSubSlots, missedRatio } = times;
  return [
    `decisions over ${times.decided} sub-slots, from the sub-slot's start to the last answer handed to its socket:`,
    `p50 ${real(p50Seconds)}, p99 ${real(p99Seconds)} of real time; since the reports were there p50 ${real(ownP50Seconds)},`,
    `p99 ${real(ownP99Seconds)}; ${missed} of the devices' ${deviceSubSlots} sub-slots missed (${(100 * missedRatio).toFixed(2)} %)`,
  ].join(" ");
};
