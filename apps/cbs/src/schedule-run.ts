import {
  type Attempt,
  abandonedTrials,
  attemptsOf,
  endedTrials,
  type JournalRecord,
  type Manifest,
  type Trial,
  tooManyAbandoned,
} from "@offloadlab/records";
import { afterInterruption, type Interruption } from "./interruption.ts";
import { waitForNodes } from "./node-watch.ts";
import type { RunFederations } from "./run-federations.ts";
import type { RunProgress } from "./run-progress.ts";
import type { TrialResults } from "./trial-results.ts";
import { type AttemptOrder, type RunParts, runTrial, trialSeconds, warmUpOf } from "./trial-runner.ts";

/** A board that was restarted is back within this real time. */
const returnMilliseconds = 120_000;

export interface ScheduleParts extends RunParts {
  readonly trials: readonly Trial[];
  readonly federations: RunFederations;
  readonly results: TrialResults;
  readonly update: (change: Partial<RunProgress>) => void;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
}

/**
 * Takes a run through its schedule. A trial that a lost node cuts short is abandoned and repeated, once all nodes are there
 * again and warm.
 */
export class ScheduleRun {
  readonly #parts: ScheduleParts;
  readonly #attempts: Map<number, Attempt>;
  /** Whether every process has been through a warm-up. */
  #isWarm = false;

  /** @param before what the C-BS had journalled of the run before it was restarted; empty of a new run */
  constructor(parts: ScheduleParts, before: readonly JournalRecord[]) {
    this.#parts = parts;
    this.#attempts = new Map(attemptsOf(before).map((attempt) => [attempt.number, attempt]));
  }

  /** @returns why the run ended early, null when every trial came to its end */
  async run(): Promise<string | null> {
    const { trials, results, update, manifest, log } = this.#parts;
    const ended = endedTrials(trials, [...this.#attempts.values()]);
    if (ended.length > 0) update(await results.add(...ended));
    for (const trial of trials.slice(ended.length)) {
      for (let count = 1; ; count += 1) {
        const interruption = await this.#attempt(trial);
        if (interruption === null) break;
        const abandoned = abandonedTrials(trials, [...this.#attempts.values()]);
        const tooMany = tooManyAbandoned(trials, abandoned);
        const next = afterInterruption(interruption, count, tooMany, manifest.learning !== null);
        if (next.kind === "end") return next.reason;
        log("warn", `trial ${trial.number} was cut short and is repeated: ${interruption.reason}`);
      }
    }
    return null;
  }

  /** Goes through a trial of the schedule once, after a warm-up where one is due. */
  async #attempt(scheduled: Trial): Promise<Interruption | null> {
    const { trials, nodes, registry, stop, collection, watch, federations, results, update, manifest } = this.#parts;
    update({ state: "running", trial: scheduled, trialStartsAt: undefined });
    const missing = await waitForNodes(nodes, registry, returnMilliseconds, stop);
    if (stop.aborted) return { kind: "stopped", reason: String(stop.reason) };
    if (missing.length > 0) return { kind: "failed", reason: `not connected: ${missing.join(", ")}` };
    await collection.open();
    if (watch.begin()) this.#isWarm = false;
    const left = trials.slice(trials.indexOf(scheduled));
    const leftSeconds = left.length * trialSeconds(manifest);
    if (!this.#isWarm) {
      const { trial, short } = warmUpOf(manifest);
      const order = { epochsBefore: 0, beforeStart: async () => {} };
      const cold = await this.#run(short, trial, order, leftSeconds + trialSeconds(short));
      if (cold !== null) return cold;
      await results.skip();
      this.#isWarm = true;
    }
    const { policy, number } = scheduled;
    const epochsBefore = trials.filter((each) => each.policy === policy && each.number < number).length;
    const beforeStart = (): Promise<void> => federations.before(policy, number, epochsBefore, stop);
    const interruption = await this.#run(manifest, scheduled, { epochsBefore, beforeStart }, leftSeconds);
    if (interruption !== null) return interruption;
    const ended = endedTrials([scheduled], [...this.#attempts.values()]);
    update({ trialStartsAt: undefined, ...(await results.add(...ended)) });
    return null;
  }

  /** Runs a trial under a number that no other has had. */
  async #run(
    manifest: Manifest,
    scheduled: Trial,
    order: Omit<AttemptOrder, "trial">,
    remainingSeconds: number,
  ): Promise<Interruption | null> {
    const { trials, update, onStart } = this.#parts;
    const isFirst = !this.#attempts.has(scheduled.number);
    const number = isFirst ? scheduled.number : Math.max(trials.length, ...this.#attempts.keys()) + 1;
    const trial = isFirst ? scheduled : { ...scheduled, number, repeats: scheduled.number };
    const epochSeconds = manifest.settings.timeSlot * manifest.settings.timeSlotCount;
    update({ trial, trialStartsAt: undefined, epochSeconds, remainingSeconds });
    const begun = (startsAt: number): void => {
      this.#attempts.set(number, { number, scheduled: scheduled.number, hasEnded: false, abandoned: null });
      onStart(startsAt);
    };
    const interruption = await runTrial({ ...this.#parts, onStart: begun }, manifest, { trial, ...order });
    const attempt = this.#attempts.get(number);
    if (attempt !== undefined) {
      const hasEnded = interruption === null;
      this.#attempts.set(number, { ...attempt, hasEnded, abandoned: interruption?.reason ?? null });
    }
    return interruption;
  }
}
