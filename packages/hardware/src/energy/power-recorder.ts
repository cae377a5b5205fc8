import { Failure } from "@offloadlab/protocol";
import { type Seconds, seconds, type Watts, watts } from "@offloadlab/units";
import { Clock } from "../clock.ts";
import type { PowerMeter } from "../linux/power-meter.ts";
import { PowerTrace } from "./power-trace.ts";

/** A node's monotonic clock: its time 0 is the start of this process. */
export const monotonicClock = (): Clock => new Clock(performance.timeOrigin / 1000, 1);

/** How long to wait for the sample after a task; then it counts as a gap. */
const patienceSeconds = 1;
/** Blocks whose means tell how steady the idle power is. */
const idleBlocks = 5;

/** Power without tasks. */
export interface Baseline {
  readonly power: Watts;
  /** Half the width of its 95 % interval. */
  readonly uncertainty: Watts;
}

/** Reads a meter at a steady pace for as long as it is open. */
export class PowerRecorder {
  readonly meter: PowerMeter;
  readonly clock: Clock;
  readonly trace: PowerTrace;
  /** Readings that failed. */
  failures = 0;
  readonly #period: Seconds;
  readonly #say: (level: "info" | "warn", message: string) => void;
  readonly #closed = new AbortController();
  readonly #waiting = new Set<() => void>();
  #running: Promise<void> | undefined;
  #failing = false;

  constructor(
    meter: PowerMeter,
    period: Seconds,
    clock: Clock,
    say: (level: "info" | "warn", message: string) => void,
  ) {
    this.meter = meter;
    this.clock = clock;
    this.trace = new PowerTrace(period);
    this.#period = period;
    this.#say = say;
  }

  /**
   * Begins to sample.
   *
   * @throws Failure `sensor/...` when the first reading fails: a node with a meter that does not work is not ready
   */
  async open(): Promise<void> {
    this.trace.add(await this.meter.read());
    this.#running = this.#sample();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#running;
  }

  async #sample(): Promise<void> {
    const start = this.clock.now();
    for (let number = 1; !this.#closed.signal.aborted; ) {
      await this.clock.sleepUntil(seconds(start + number * this.#period), this.#closed.signal).catch(() => undefined);
      await this.#read();
      for (const check of this.#waiting) check();
      // A slow bus leaves out samples, it does not put them off.
      number = Math.max(number + 1, Math.ceil((this.clock.now() - start) / this.#period));
    }
  }

  async #read(): Promise<void> {
    try {
      this.trace.add(await this.meter.read());
      if (this.#failing) this.#say("info", `the ${this.meter.kind} answers again`);
      this.#failing = false;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.failures += 1;
      if (!this.#failing) this.#say("warn", `${error.code}: ${error.message}; energies have a gap from here on`);
      this.#failing = true;
    }
  }

  /** Resolves when a sample later than a time is there, or when none came for a second. */
  reached(time: Seconds): Promise<void> {
    const isReached = (): boolean =>
      this.trace.end >= time || this.clock.now() > time + patienceSeconds || this.#closed.signal.aborted;
    if (isReached()) return Promise.resolve();
    return new Promise((resolve) => {
      const check = (): void => {
        if (!isReached()) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }

  /**
   * How long `idleOver` has to look back so that each of its parts has a sample, s: values that differ follow each other
   * within a conversion and a period at either end.
   */
  get shortestIdle(): Seconds {
    return seconds(idleBlocks * (this.trace.conversion + 2 * this.trace.period));
  }

  /** By how much the last sample, and what it is a mean over, are behind the clock at the most, s. */
  get lag(): Seconds {
    return seconds(2 * (this.trace.conversion + this.trace.period));
  }

  /**
   * Power of the last moments, in which no task ran.
   *
   * Its uncertainty is two standard deviations of the means of five equal parts: what drifts or comes in bursts shows there.
   *
   * @throws Failure `sensor/absent` when there are no samples of that time
   */
  idleOver(duration: Seconds): Baseline {
    const end = this.trace.end;
    const block = duration / idleBlocks;
    const means = Array.from({ length: idleBlocks }, (_, index) => {
      const samples = this.trace.between(seconds(end - (index + 1) * block), seconds(end - index * block));
      return samples.length === 0 ? undefined : samples.reduce((sum, { power }) => sum + power, 0) / samples.length;
    }).filter((mean) => mean !== undefined);
    if (means.length < idleBlocks)
      throw new Failure(
        "sensor/absent",
        `${this.meter.kind}: expected samples of the last ${duration} s, some are missing`,
      );
    const mean = means.reduce((sum, each) => sum + each, 0) / idleBlocks;
    const variance = means.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (idleBlocks - 1);
    return { power: watts(mean), uncertainty: watts(2 * Math.sqrt(variance)) };
  }
}
