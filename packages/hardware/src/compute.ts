import { type Cycles, type Hertz, type Seconds, seconds } from "@offloadlab/units";
import type { Clock } from "./clock.ts";

/** Something that works off cycles, one piece after the other. */
export interface Processor {
  /** F or f: cycles per second. */
  readonly rate: Hertz;
  /**
   * Runs cycles to their end.
   *
   * @param from when they could have begun: now, or earlier when a late timer announced them
   * @returns when they ended
   */
  run(work: Cycles, from?: Seconds, signal?: AbortSignal): Promise<Seconds>;
}

/**
 * A processor with an emulated clock rate: work takes C / f of lab time, on schedule, however fast this machine is.
 *
 * Pieces of work run one after the other; the schedule is absolute, so that late timers do not add up.
 */
export class EmulatedProcessor implements Processor {
  readonly clock: Clock;
  readonly rate: Hertz;
  #freeAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, rate: Hertz) {
    this.clock = clock;
    this.rate = rate;
  }

  /**
   * Runs cycles to their end.
   *
   * @param from when they could have begun: now, or earlier when a late timer announced them
   * @returns when they ended on the schedule; now is up to two milliseconds (real) later
   */
  async run(work: Cycles, from: Seconds = this.clock.now(), signal?: AbortSignal): Promise<Seconds> {
    const end = seconds(Math.max(this.#freeAt, from) + work / this.rate);
    this.#freeAt = end;
    await this.clock.wakeAt(end, signal);
    return end;
  }
}
