import { setTimeout as sleep } from "node:timers/promises";
import { localDelay, type Settings, settingsToFile } from "@offloadlab/model";
import { type LearningOrder, longestLease, type ToStation } from "@offloadlab/protocol";
import {
  type Journal,
  type LearningChoice,
  learnedNames,
  type Manifest,
  type Trial,
  warmUpTrial,
} from "@offloadlab/records";
import { count } from "@offloadlab/units";
import type { Collection } from "./collection.ts";
import type { Interruption } from "./interruption.ts";
import type { NodeWatch } from "./node-watch.ts";
import type { Registry } from "./registry.ts";

const prepareMilliseconds = 15_000;
/** From the order to start until lab time 0, so that every node has it in time. */
const startAheadSeconds = 0.3;
/** What a trial may last beyond its epoch, lab time: a deadline in the queue, then the longest lease or local execution. */
const drainSeconds = ({ deadline, communities }: Settings): number => {
  const local = communities.map(({ workload, device }) => localDelay(workload.work.high, device.clock.low));
  return deadline + Math.max(longestLease(deadline), ...local);
};
const typicalDrainSeconds = 2;
const warmUpTimeSlots = 4;

/** What all trials of a run share. */
export interface RunParts {
  readonly run: string;
  readonly manifest: Manifest;
  readonly nodes: readonly string[];
  readonly registry: Registry;
  readonly collection: Collection;
  readonly journal: Journal;
  readonly watch: NodeWatch;
  readonly stop: AbortSignal;
  readonly unixNow: () => number;
  /** SHA-256 of the files of agents and models, by policy. */
  readonly agents: ReadonlyMap<string, string>;
  /** Called when lab time 0 is known, Unix seconds. */
  readonly onStart: (startsAt: number) => void;
}

/** Real seconds that a trial takes, more or less. */
export const trialSeconds = ({ settings, clockSpeed }: Manifest): number =>
  (settings.timeSlot * settings.timeSlotCount + typicalDrainSeconds) / clockSpeed + 2 * startAheadSeconds;

/** The trial before the first, and the manifest with its few time-slots. */
export const warmUpOf = (manifest: Manifest): { trial: Trial; short: Manifest } => {
  const timeSlotCount = count(Math.min(manifest.settings.timeSlotCount, warmUpTimeSlots));
  return {
    // Greedy keeps both lanes of a device busy.
    trial: { number: warmUpTrial, policy: "greedy", repetition: 0, seed: manifest.seed },
    short: { ...manifest, settings: { ...manifest.settings, timeSlotCount } },
  };
};

/** One attempt at a trial. */
export interface AttemptOrder {
  /** With the attempt's own number. */
  readonly trial: Trial;
  /** Trials of its policy that came to their end before. */
  readonly epochsBefore: number;
  /** What is due once all nodes are prepared, before they start. */
  readonly beforeStart: () => Promise<void>;
}

/**
 * Runs one trial: prepares every node, starts them together, waits until none has anything of it left.
 *
 * An attempt that was cut short after its start is journalled as abandoned, and every node is told.
 *
 * @returns what cut it short, null when the trial came to its end
 */
export const runTrial = async (
  parts: RunParts,
  manifest: Manifest,
  { trial, epochsBefore, beforeStart }: AttemptOrder,
): Promise<Interruption | null> => {
  const { run, nodes, registry, journal, unixNow, watch, stop } = parts;
  const { settings, clockSpeed } = manifest;
  const { link, uplinkRateRatios } = manifest;
  const agents = parts.agents.get(trial.policy) ?? null;
  const canLearn = learnedNames(manifest).includes(trial.policy);
  const learning = canLearn && manifest.learning !== null ? orderOf(manifest.learning) : null;
  const { number, policy, seed, repeats } = trial;
  const fixed = { run, trial: number, policy, seed, deviceSeed: manifest.seed, epochsBefore };
  const order = { ...fixed, link, uplinkRateRatios, agents, learning };
  const file = settingsToFile(settings);
  const abort = ({ reason }: Interruption): void => {
    for (const node of nodes) registry.send(node, { type: "abort", run, reason });
  };
  const notPrepared = await answered(parts, number, "prepared", prepareMilliseconds, () => {
    for (const node of nodes) registry.send(node, { type: "prepare", ...order, clockSpeed, settings: file });
  });
  if (notPrepared !== null) {
    abort(notPrepared);
    return notPrepared;
  }
  await beforeStart();
  if (stop.aborted) return { kind: "stopped", reason: String(stop.reason) };
  if (watch.reason !== undefined) return { kind: "lost", reason: watch.reason };
  const startsAtUnixSeconds = unixNow() + startAheadSeconds;
  const again = repeats === undefined ? {} : { repeats };
  journal.write({ kind: "trial", trial: number, policy, seed, startsAtUnixSeconds, ...again });
  // A C-BS that is killed now must not use the number again.
  await journal.flush();
  parts.onStart(startsAtUnixSeconds);
  const epochSeconds = settings.timeSlot * settings.timeSlotCount;
  const limit = ((epochSeconds + drainSeconds(settings)) / clockSpeed + startAheadSeconds + 5) * 1000;
  const notFinished = await answered(parts, number, "finished", limit, () => {
    for (const node of nodes) {
      const startsAt = startsAtUnixSeconds + phaseOf(settings, node) / clockSpeed;
      registry.send(node, { type: "start", run, trial: number, startsAtUnixSeconds: startsAt });
    }
  });
  if (notFinished === null) journal.write({ kind: "trial-end", trial: number });
  else {
    journal.write({ kind: "abandoned", trial: number, reason: notFinished.reason });
    abort(notFinished);
  }
  await journal.flush();
  return notFinished;
};

const orderOf = ({ explore, engine }: LearningChoice): LearningOrder => ({ explore, engine });

/**
 * Gives an order and waits until every node has answered it; for `finished`, until its journal is here as well.
 *
 * @returns null, or what came first: a failed node, a lost node, the time limit, or the stop
 */
const answered = async (
  { run, nodes, registry, collection, watch, stop }: RunParts,
  trial: number,
  type: "prepared" | "finished",
  milliseconds: number,
  give: () => void,
): Promise<Interruption | null> => {
  const open = new Set(nodes);
  const over = new AbortController();
  const answers = new Promise<Interruption | null>((resolve) => {
    const listen = async (node: string, message: ToStation): Promise<void> => {
      if (!("trial" in message) || message.run !== run || message.trial !== trial) return;
      if (message.type === "failed") {
        const lost = await watch.explanation();
        const failed = { kind: "failed", reason: `${node}: ${message.reason}` } as const;
        return resolve(lost === undefined ? failed : { kind: "lost", reason: lost });
      }
      if (message.type !== type) return;
      if (message.type === "finished") await collection.arrival(node, message.journalBytes);
      open.delete(node);
      if (open.size === 0) resolve(null);
    };
    const onMessage = (node: string, message: ToStation): void => void listen(node, message);
    registry.on("message", onMessage);
    over.signal.addEventListener("abort", () => registry.off("message", onMessage));
  });
  const stopped = new Promise<Interruption>((resolve) => {
    const reason = (): void => resolve({ kind: "stopped", reason: String(stop.reason) });
    if (stop.aborted) reason();
    stop.addEventListener("abort", reason, { signal: over.signal });
  });
  const lost = watch.lost.then((reason): Interruption => ({ kind: "lost", reason }));
  const late = sleep(milliseconds, undefined, { signal: over.signal }).then(
    (): Interruption => ({
      kind: "failed",
      reason: `trial ${trial} was not ${type} in time by ${[...open].join(", ")}`,
    }),
    () => null,
  );
  give();
  const first = await Promise.race([answers, lost, stopped, late]);
  over.abort();
  return first;
};

/**
 * Lab seconds by which a node's community starts after the first one: the sub-slots of communities, which have nothing
 * in common but the C-BS, are spread so that their bursts of work do not meet.
 */
const phaseOf = (settings: Settings, node: string): number => {
  const subSlot = settings.timeSlot / settings.subSlotsPerTimeSlot;
  return ((Number(node.split("-")[1]) - 1) / settings.communities.length) * subSlot;
};
