import { isDeepStrictEqual } from "node:util";
import {
  type CommunitySettings,
  communityAt,
  deviceId,
  hasExpired,
  instantReward,
  isSuccess,
  meetsDeadline,
  nodeIds,
  type Settings,
  serverId,
  sharesFit,
  withinCharge,
} from "@offloadlab/model";
import { fallbackReasons } from "@offloadlab/policies";
import { joules, seconds } from "@offloadlab/units";
import { archiveFiles } from "./archive.ts";
import { attemptsOf } from "./attempts.ts";
import type {
  ActionRecord,
  BatteryRecord,
  Decision,
  JournalRecord,
  OutcomeRecord,
  ServiceRecord,
} from "./journal-records.ts";
import { deviceOf, type Journals, taskFates } from "./reconcile.ts";
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
): string[] => {
  const attempts = attemptsOf(journals.get("cbs") ?? []);
  const abandoned = new Set(attempts.filter((each) => each.abandoned !== null).map(({ number }) => number));
  /** Whether nothing of a trial may be lost or cut off. */
  const isWhole = (trial: number): boolean => complete && !abandoned.has(trial);
  return [
    ...[...journals].flatMap(([node, records]) => [
      ...clockProblems(node, records),
      ...ledgerProblems(settings, node, records),
      ...answerProblems(node, records),
      ...records.flatMap((record) => recordProblems(settings, node, record)),
    ]),
    ...conservationProblems(journals),
    ...settings.communities.flatMap((community, index) => {
      const devices = Array.from({ length: community.deviceCount }, (_, j) => deviceId(index, j));
      return [
        ...sideProblems(journals, serverId(index), devices, isWhole),
        ...rewardProblems(community, journals, serverId(index), devices),
      ];
    }),
    ...(complete ? completenessProblems(settings, trials, journals, isWhole) : []),
  ];
};

/** Numbers in journals have nine digits after the point; sums of a few of them stay well within this. */
const tolerance = 1e-6;

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

/** What became of the answers of a policy from outside is what its actions say. */
const answerProblems = (node: string, records: readonly JournalRecord[]): string[] =>
  records.flatMap((record) => {
    if (record.kind !== "answers") return [];
    const actions = records.flatMap((each) => (each.kind === "action" && each.trial === record.trial ? [each] : []));
    const fallbacks = fallbackReasons.map((reason) => actions.filter(({ fallback }) => fallback === reason).length);
    const counted = [actions.filter(({ adjusted }) => adjusted).length, ...fallbacks];
    const told = [record.adjusted, ...fallbackReasons.map((reason) => record.fallbacks[reason])];
    if (isDeepStrictEqual(counted, told)) return [];
    const names = ["adjusted", ...fallbackReasons].join(", ");
    return [
      problem(
        node,
        `trial ${record.trial}: answers of ${record.policy} (${names}) are counted as ${told.join(", ")}, its actions say ${counted.join(", ")}`,
      ),
    ];
  });

/** C2 and C3: what is recorded as a success kept to the deadline and could be paid for. */
const outcomeProblems = (settings: Settings, node: string, end: OutcomeRecord): string[] => {
  const delay = seconds(end.delaySeconds);
  const intime = meetsDeadline(delay, settings.deadline);
  const paid = withinCharge(joules(end.energyJoules), joules(end.chargeJoules));
  const what = `trial ${end.trial}: ${end.task} is ${end.outcome}`;
  if (isSuccess(end.outcome) && !intime) return [problem(node, `${what} after ${end.delaySeconds} s: C2 is broken`)];
  if (isSuccess(end.outcome) && !paid) {
    return [problem(node, `${what} with ${end.energyJoules} J of ${end.chargeJoules} J: C3 is broken`)];
  }
  const early = end.outcome === "late" ? intime : end.outcome === "expired" && !hasExpired(delay, settings.deadline);
  if (early) {
    return [problem(node, `${what} after ${end.delaySeconds} s, within the deadline`)];
  }
  const { demand, device } = communityOf(settings, node);
  const reward = instantReward(demand, end.outcome, delay, joules(end.energyJoules), device.capacity);
  return Math.abs(reward - end.reward) <= tolerance
    ? []
    : [problem(node, `${what} with a reward of ${end.reward}, Eq. (19) gives ${reward}`)];
};

/** Energy is conserved: each sub-slot's charge is the one before, plus what was harvested, less what was drained. */
const ledgerProblems = (settings: Settings, node: string, records: readonly JournalRecord[]): string[] => {
  const last = new Map<number, BatteryRecord>();
  return records.flatMap((record) => {
    if (record.kind !== "battery") return [];
    const { capacity } = communityOf(settings, node).device;
    const { trial, subSlot, chargeJoules, harvestedJoules, drainedJoules } = record;
    const before = last.get(trial);
    last.set(trial, record);
    const where = `trial ${trial}, sub-slot ${subSlot}`;
    if (chargeJoules < 0 || chargeJoules > capacity + tolerance) {
      return [problem(node, `${where}: a charge of ${chargeJoules} J is outside [0, ${capacity}]`)];
    }
    const gap = chargeJoules - (before?.chargeJoules ?? capacity) - harvestedJoules + drainedJoules;
    if (subSlot !== (before?.subSlot ?? -1) + 1)
      return [problem(node, `${where}: the ledger misses the sub-slot before`)];
    return Math.abs(gap) <= tolerance ? [] : [problem(node, `${where}: ${gap} J came from nowhere`)];
  });
};

const communityOf = (settings: Settings, node: string): CommunitySettings =>
  communityAt(settings, Number(node.split("-")[1]) - 1);

/** Generated = sum of outcomes: every task ended once, or was declared lost. */
const conservationProblems = (journals: Journals): string[] =>
  taskFates(journals).flatMap(({ trial, task, device, ends, declaredLost }) => {
    const ended = ends.length + (declaredLost ? 1 : 0);
    return ended === 1 ? [] : [problem(device, `trial ${trial}: ${task} has ${ended} outcomes instead of one`)];
  });

/**
 * What a server and its devices journalled of the same tasks agrees.
 *
 * A server that is killed loses its last lines, so that only in the trials of a complete run that were not abandoned every
 * service must be there. What is
 * there was written in order: the decision behind a service is never missing.
 */
const sideProblems = (
  journals: Journals,
  server: string,
  devices: readonly string[],
  isWhole: (trial: number) => boolean,
): string[] => {
  const records = journals.get(server);
  if (records === undefined) return [];
  const decided = new Map<string, Decision>();
  const granted = new Map<string, Decision>();
  const services = new Map<string, ServiceRecord>();
  const problems: string[] = [];
  for (const record of records) {
    if (record.kind === "action") {
      for (const decision of record.decisions) {
        decided.set(`${record.trial} ${decision.task}`, decision);
        if (decision.lease !== undefined) granted.set(`${record.trial} ${decision.lease}`, decision);
      }
    } else if (record.kind === "service") {
      const { trial, task, lease, computeShare } = record;
      services.set(`${trial} ${task}`, record);
      const decision = granted.get(`${trial} ${lease}`);
      const what = `trial ${trial}: ${task} was served under lease ${lease}`;
      if (decision === undefined || decision.task !== task || !devices.includes(deviceOf(task))) {
        problems.push(problem(server, `${what}, which no action granted to it`));
      } else if (Math.abs(decision.computeShare - computeShare) > tolerance) {
        problems.push(
          problem(server, `${what} with a compute share of ${computeShare} instead of ${decision.computeShare}`),
        );
      }
    }
  }
  for (const device of devices) {
    for (const end of journals.get(device) ?? []) {
      if (end.kind !== "outcome") continue;
      const key = `${end.trial} ${end.task}`;
      const service = services.get(key);
      const what = `trial ${end.trial}: ${end.task} is ${end.outcome}`;
      // A drained task that was not executed ended where its wait did.
      const wasExecuted =
        (end.outcome === "late" || end.outcome === "drained") && end.delaySeconds > end.waitingSeconds;
      const atEdge = end.outcome === "completed-edge" || (wasExecuted && decided.get(key)?.placement === "edge");
      if (isWhole(end.trial) && atEdge && service === undefined) {
        problems.push(problem(device, `${what}, but ${server} journalled no service`));
      }
      if (service === undefined) continue;
      if (end.outcome === "completed-local") problems.push(problem(device, `${what}, but ${server} served it`));
      else if (end.label !== null && end.label !== service.label) {
        problems.push(problem(device, `${what} with the label ${end.label}, ${server} answered ${service.label}`));
      }
    }
  }
  return problems;
};

/**
 * What a learner was paid follows from the archive: from what the device says of the task, and from how long its upload took.
 */
const rewardProblems = (
  { demand, device }: CommunitySettings,
  journals: Journals,
  server: string,
  devices: readonly string[],
): string[] => {
  const records = journals.get(server) ?? [];
  const services = new Map<string, ServiceRecord>();
  for (const record of records) if (record.kind === "service") services.set(`${record.trial} ${record.task}`, record);
  const ends = new Map<string, OutcomeRecord>();
  for (const record of devices.flatMap((node) => journals.get(node) ?? []))
    if (record.kind === "outcome") ends.set(`${record.trial} ${record.task}`, record);
  return records.flatMap((record) => {
    if (record.kind !== "reward") return [];
    const { trial, task, outcome, delaySeconds, energyJoules, transmissionErrorSeconds } = record;
    const what = `trial ${trial}: the learner was paid ${record.reward} for ${task}`;
    const reward = instantReward(demand, outcome, seconds(delaySeconds), joules(energyJoules), device.capacity);
    if (Math.abs(reward - record.reward) > tolerance) return [problem(server, `${what}, Eq. (19) gives ${reward}`)];
    const end = ends.get(`${trial} ${task}`);
    // A device that is killed loses its last lines.
    const isSame =
      end === undefined ||
      (end.outcome === outcome &&
        Math.abs(end.delaySeconds - delaySeconds) <= tolerance &&
        Math.abs(end.energyJoules - energyJoules) <= tolerance);
    if (!isSame) return [problem(server, `${what} as ${outcome} after ${delaySeconds} s, its device says otherwise`)];
    const service = services.get(`${trial} ${task}`);
    const error = service === undefined ? null : service.uploadSeconds - service.theoreticalUploadSeconds;
    const agrees =
      error === null || transmissionErrorSeconds === null
        ? error === transmissionErrorSeconds
        : Math.abs(error - transmissionErrorSeconds) <= tolerance;
    return agrees
      ? []
      : [problem(server, `${what} with a transmission error of ${transmissionErrorSeconds} s instead of ${error}`)];
  });
};

const completenessProblems = (
  settings: Settings,
  trials: readonly Trial[],
  journals: Journals,
  isWhole: (trial: number) => boolean,
): string[] => {
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
      .filter(({ trial, declaredLost }) => declaredLost && isWhole(trial))
      .map(({ trial, task }) => problem("cbs", `trial ${trial}: ${task} is lost, but the run calls itself complete`)),
  ];
};
