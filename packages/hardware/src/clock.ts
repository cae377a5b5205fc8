import { type Seconds, seconds } from "@offloadlab/units";

/** Unix seconds that never go back: the wall clock at the process's start plus the monotonic clock since. */
export const unixNow = (): number => (performance.timeOrigin + performance.now()) / 1000;

/** Timers of the event loop fire up to this late; a precise wake turns to polling when it is this close. */
const timerSlackMilliseconds = 1;
const maxTimerMilliseconds = 2 ** 31 - 1;

/**
 * Lab time: seconds since an origin, at a speed.
 *
 * On boards the speed is 1. In the rehearsal the lab may run faster than real time; then every duration of the model
 * (sub-slots, uploads, executions) shrinks alike, while the machine's own latencies do not: the speed is printed with
 * every result.
 */
export class Clock {
  readonly speed: number;
  readonly #originMilliseconds: number;

  /**
   * @param origin Unix seconds of lab time 0
   * @param speed lab seconds per real second, > 0
   */
  constructor(origin: number, speed: number) {
    if (!(speed > 0)) throw new RangeError(`Expected a clock speed above 0, got ${speed}`);
    this.#originMilliseconds = origin * 1000 - performance.timeOrigin;
    this.speed = speed;
  }

  /** Lab time; negative before the origin. */
  now(): Seconds {
    return seconds(((performance.now() - this.#originMilliseconds) * this.speed) / 1000);
  }

  /** Resolves at a lab time or up to two milliseconds (real) after it; at once when it has passed. */
  sleepUntil(time: Seconds, signal?: AbortSignal): Promise<void> {
    return this.#wait(time, signal, false);
  }

  /** Resolves within some 50 µs (real) of a lab time when the processor is free, by polling at the end. */
  wakeAt(time: Seconds, signal?: AbortSignal): Promise<void> {
    return this.#wait(time, signal, true);
  }

  /** Lab time passes by a duration. */
  sleep(duration: Seconds, signal?: AbortSignal): Promise<void> {
    return this.sleepUntil(seconds(this.now() + duration), signal);
  }

  #wait(time: Seconds, signal: AbortSignal | undefined, precise: boolean): Promise<void> {
    const due = (time * 1000) / this.speed + this.#originMilliseconds;
    return new Promise((resolve, reject) => {
      let cancel = (): void => {};
      const abort = (): void => {
        cancel();
        reject(signal?.reason);
      };
      const finish = (): void => {
        signal?.removeEventListener("abort", abort);
        resolve();
      };
      const poll = (): void => {
        const left = due - performance.now();
        if (left <= 0) {
          finish();
        } else if (precise && left <= timerSlackMilliseconds) {
          const immediate = setImmediate(poll);
          cancel = () => clearImmediate(immediate);
        } else {
          const delay = precise ? Math.floor(left - timerSlackMilliseconds) : Math.ceil(left);
          // biome-ignore lint/style/noRestrictedGlobals: the clock is what everyone else sleeps with
          const timer = setTimeout(poll, Math.min(Math.max(delay, 0), maxTimerMilliseconds));
          cancel = () => clearTimeout(timer);
        }
      };
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener("abort", abort, { once: true });
      poll();
    });
  }
}
