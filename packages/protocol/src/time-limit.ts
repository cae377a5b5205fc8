import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * A signal that aborts after a time, or when another one does, whatever comes first.
 *
 * `AbortSignal.any` over an `AbortSignal.timeout` may never abort: nothing but the timeout's own timer knows of it, which
 * holds it weakly (https://github.com/nodejs/node/issues/57736). Here the timer holds what it aborts. Its reason is a
 * `TimeoutError`, or the other's.
 *
 * @param milliseconds real time; the process does not stay for it
 */
export const timeLimit = (milliseconds: number, ...others: readonly AbortSignal[]): AbortSignal => {
  const limit = new AbortController();
  const { signal } = limit;
  // One signal may have many limits at a time; each listens until it aborts, so until its time at the longest.
  setMaxListeners(0, ...others);
  for (const other of others) {
    if (other.aborted) limit.abort(other.reason);
    other.addEventListener("abort", () => limit.abort(other.reason), { signal });
  }
  const late = (): void => limit.abort(new DOMException(`not within ${milliseconds} ms`, "TimeoutError"));
  void sleep(milliseconds, undefined, { signal, ref: false }).then(late, () => undefined);
  return signal;
};
