import { communityAt, deviceId, instantReward, type Settings, serverId, type Task } from "@offloadlab/model";
import { bits, bitsOf, bytes, count, cycles, joules, seconds } from "@offloadlab/units";
import type { BatteryRecord, Decision, GeneratedRecord, OutcomeRecord, ServiceRecord } from "../journal-records.ts";
import type { Journals } from "../reconcile.ts";
import type { CommunityCourse, TaskCourse } from "./course.ts";

/** A decision on a task, in the sub-slot whose decision it is. */
type Decided = Decision & { readonly subSlot: number };

/** A trial of a community as its journals have it. */
export interface LaboratoryCourse extends CommunityCourse {
  /** [n] as generated. */
  readonly generated: readonly (readonly Task[])[];
  /** The decision on a task in a sub-slot; undefined when its device's report was not there. */
  readonly decision: (task: string, subSlot: number) => Decided | undefined;
  /** Whether Fair decided a sub-slot in the policy's place. */
  readonly isFallback: (subSlot: number) => boolean;
  /** From the sub-slots' starts to their decisions. */
  readonly latenessSeconds: readonly number[];
  /** How a task was served. */
  readonly service: (task: string) => ServiceRecord | undefined;
}

export const laboratoryCourse = (
  settings: Settings,
  communityIndex: number,
  journals: Journals,
  trial: number,
): LaboratoryCourse => {
  const { demand, device, deviceCount } = communityAt(settings, communityIndex);
  const decisions = new Map<string, Decided[]>();
  const services = new Map<string, ServiceRecord>();
  const inUse = new Map<number, readonly [number, number]>();
  const latenessSeconds: number[] = [];
  const fallbacks = new Set<number>();
  for (const record of journals.get(serverId(communityIndex)) ?? []) {
    if (record.kind === "service" && record.trial === trial) services.set(record.task, record);
    if (record.kind !== "action" || record.trial !== trial) continue;
    latenessSeconds.push(record.latenessSeconds);
    if (record.fallback !== undefined) fallbacks.add(record.subSlot);
    inUse.set(record.subSlot, [record.bandwidthInUseRatio, record.computeInUseRatio]);
    for (const decision of record.decisions) {
      const known = decisions.get(decision.task) ?? [];
      known.push({ ...decision, subSlot: record.subSlot });
      decisions.set(decision.task, known);
    }
  }

  const course = (generated: GeneratedRecord, end: OutcomeRecord | undefined): TaskCourse => {
    const { task, arrivalSeconds } = generated;
    const outcome = end?.outcome ?? "lost";
    // A task leaves the queue with the answer that starts it: the last one that is not to wait.
    const start =
      outcome === "expired" ? undefined : decisions.get(task)?.findLast((decision) => decision.placement !== "wait");
    return {
      task,
      arrivalSeconds,
      placement: start === undefined || start.placement === "wait" ? null : start.placement,
      subSlot: start?.subSlot ?? null,
      outcome,
      waitingSeconds: end?.waitingSeconds ?? 0,
      delaySeconds: end?.delaySeconds ?? 0,
      energyJoules: end?.energyJoules ?? 0,
      // As in a run's results, a task that nobody saw the end of pays the penalty.
      reward: end?.reward ?? instantReward(demand, "lost", seconds(0), joules(0), device.capacity),
    };
  };

  const devices = Array.from({ length: deviceCount }, (_, j) => {
    const generated: GeneratedRecord[] = [];
    const ends = new Map<string, OutcomeRecord>();
    const batteries = new Map<number, BatteryRecord>();
    for (const record of journals.get(deviceId(communityIndex, j)) ?? []) {
      if (!("trial" in record) || record.trial !== trial) continue;
      if (record.kind === "generated") generated.push(record);
      else if (record.kind === "outcome" && !ends.has(record.task)) ends.set(record.task, record);
      else if (record.kind === "battery") batteries.set(record.subSlot, record);
    }
    return { generated, batteries, courses: generated.map((record) => course(record, ends.get(record.task))) };
  });

  return {
    tasks: devices.map(({ courses }) => courses),
    generated: devices.map(({ generated }) => generated.map(taskOf)),
    chargeJoules: (j, subSlot) =>
      subSlot === 0 ? device.capacity : (devices[j]?.batteries.get(subSlot - 1)?.chargeJoules ?? Number.NaN),
    inUse: (subSlot) => inUse.get(subSlot) ?? null,
    decision: (task, subSlot) => decisions.get(task)?.find((decision) => decision.subSlot === subSlot),
    isFallback: (subSlot) => fallbacks.has(subSlot),
    latenessSeconds,
    service: (task) => services.get(task),
  };
};

const taskOf = ({ task, arrivalSeconds, dataBytes, workCycles, image }: GeneratedRecord): Task => ({
  id: task,
  arrival: seconds(arrivalSeconds),
  dataSize: bits(bitsOf(bytes(dataBytes))),
  work: cycles(workCycles),
  image: count(image),
});
