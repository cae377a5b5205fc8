import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { timeLimit } from "./time-limit.ts";

const waiting = `
import { EventEmitter, once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { timeLimit } from ${JSON.stringify(new URL("./time-limit.ts", import.meta.url).href)};
const stay = setInterval(() => {}, 1000);
const stop = new AbortController();
const wait = async () => {
  const signal = timeLimit(100, stop.signal);
  await once(new EventEmitter(), "never", { signal }).catch(() => console.log(String(signal.reason)));
  clearInterval(stay);
};
void wait();
for (let i = 0; i < 5; i++) {
  await turn();
  gc();
}`;

it("aborts after its time, also when only one who waits holds it and garbage is collected", async () => {
  // A process of its own: collecting what other tests have left behind is not this one's business.
  const options = ["--expose-gc", "--import", "tsx", "--input-type=module", "--eval", waiting];
  const { stdout } = await promisify(execFile)(process.execPath, options, { timeout: 20_000 });
  expect(stdout).toBe("TimeoutError: not within 100 ms\n");
});

it("aborts with the others' reason, before or after it is made", async () => {
  const stop = new AbortController();
  const signal = timeLimit(60_000, new AbortController().signal, stop.signal);
  expect(signal.aborted).toBe(false);
  stop.abort("stopped by an operator");
  expect(signal.reason).toBe("stopped by an operator");
  expect(timeLimit(60_000, stop.signal).reason).toBe("stopped by an operator");
});
