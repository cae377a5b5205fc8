import { seconds } from "@offloadlab/units";
import { describe, expect, it } from "vitest";
import { Clock, unixNow } from "./clock.ts";

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

describe.each([1, 2, 8])("a clock at speed %i", (speed) => {
  it("wakes at most 1 ms real time late in the median of 50, and never early", async () => {
    const clock = new Clock(unixNow(), speed);
    const late: number[] = [];
    for (let wake = 0; wake < 50; wake += 1) {
      // From 1 to 20 ms of real time ahead, at no whole millisecond.
      const due = seconds(clock.now() + (speed * (1 + (wake % 20) * 0.97)) / 1000);
      await clock.wakeAt(due);
      late.push(((clock.now() - due) / speed) * 1000);
    }
    // Unix times in milliseconds have steps of a quarter of a microsecond.
    expect(Math.min(...late)).toBeGreaterThan(-0.001);
    expect(median(late)).toBeLessThanOrEqual(1);
  });

  it("sleeps until a time, never ending early", async () => {
    const clock = new Clock(unixNow(), speed);
    const late: number[] = [];
    for (let sleep = 0; sleep < 10; sleep += 1) {
      const due = seconds(clock.now() + (speed * (2 + sleep * 0.7)) / 1000);
      await clock.sleepUntil(due);
      late.push(((clock.now() - due) / speed) * 1000);
    }
    expect(Math.min(...late)).toBeGreaterThan(-0.001);
    expect(median(late)).toBeLessThanOrEqual(3);
  });

  it("runs at its speed: lab time over real time", async () => {
    const clock = new Clock(unixNow(), speed);
    const [lab, real] = [clock.now(), performance.now()];
    await clock.sleep(seconds(0.04 * speed));
    const passed = (performance.now() - real) / 1000;
    expect((clock.now() - lab) / passed).toBeCloseTo(speed, 1);
    expect(clock.now() - lab).toBeGreaterThanOrEqual(0.04 * speed - 1e-6);
  });
});

it("is at 0 at its origin and negative before it", () => {
  const origin = unixNow();
  expect(new Clock(origin + 100, 2).now()).toBeGreaterThan(-200.001);
  expect(new Clock(origin + 100, 2).now()).toBeLessThan(-199);
  expect(new Clock(origin - 100, 2).now()).toBeGreaterThan(199.999);
});

it("never goes back", () => {
  const clock = new Clock(unixNow(), 3);
  let before = clock.now();
  for (let reading = 0; reading < 10_000; reading += 1) {
    const now = clock.now();
    expect(now >= before).toBe(true);
    before = now;
  }
});

it.each(["sleepUntil", "wakeAt"] as const)("%s resolves at once for a time that has passed", async (how) => {
  const clock = new Clock(unixNow(), 1);
  const start = performance.now();
  for (const time of [-1000, 0]) await clock[how](seconds(time));
  expect(performance.now() - start).toBeLessThan(100);
});

it.each(["sleepUntil", "wakeAt"] as const)(
  "%s is ended by its signal, at once, with the signal's reason",
  async (how) => {
    const clock = new Clock(unixNow(), 1);
    for (const ahead of [1000, 0.001]) {
      const abort = new AbortController();
      const sleep = clock[how](seconds(clock.now() + ahead), abort.signal);
      abort.abort("stopped");
      await expect(sleep).rejects.toBe("stopped");
    }
    await expect(clock[how](seconds(1000), AbortSignal.abort("before"))).rejects.toBe("before");
  },
);

it("sleeps for longer than a timer can", async () => {
  const clock = new Clock(unixNow(), 1);
  const abort = new AbortController();
  let ended = false;
  const sleep = clock.sleepUntil(seconds(1e9), abort.signal).finally(() => {
    ended = true;
  });
  const other = clock.sleep(seconds(0.01));
  await other;
  expect(ended).toBe(false);
  abort.abort("enough");
  await expect(sleep).rejects.toBe("enough");
});

it.each([0, -1, Number.NaN])("has no speed of %f", (speed) => {
  expect(() => new Clock(0, speed)).toThrow(RangeError);
});
