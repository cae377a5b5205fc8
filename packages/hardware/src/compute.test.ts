import { cycles, hertz, seconds } from "@offloadlab/units";
import { expect, it } from "vitest";
import { Clock, unixNow } from "./clock.ts";
import { EmulatedProcessor } from "./compute.ts";

const rate = hertz(1e9);

it.each([1, 4])(
  "50 pieces of work end at their start plus C / f, however late each timer is (speed %i)",
  async (speed) => {
    const clock = new Clock(unixNow(), speed);
    const processor = new EmulatedProcessor(clock, rate);
    const works = Array.from({ length: 50 }, (_, index) => cycles(speed * (4e6 + index * 1e5)));
    const start = clock.now();
    let sum = 0;
    let end = start;
    for (const work of works) {
      sum += work / rate;
      end = await processor.run(work, start);
      // On the schedule to the last digit: lateness does not add up.
      expect(Math.abs(end - start - sum)).toBeLessThan(1e-9);
    }
    const late = (clock.now() - (start + sum)) / speed;
    expect(late).toBeGreaterThan(-1e-6);
    expect(late).toBeLessThan(0.003);
  },
);

it("work begins when the processor is free, and not before it is there", async () => {
  const clock = new Clock(unixNow(), 100);
  const processor = new EmulatedProcessor(clock, rate);
  const start = clock.now();
  const [first, second] = await Promise.all([
    processor.run(cycles(1e9), start),
    processor.run(cycles(0.5e9), seconds(start + 0.25)),
  ]);
  expect(first - start).toBeCloseTo(1, 9);
  expect(second - start).toBeCloseTo(1.5, 9);
  // Idle since then: it does not begin in the past.
  await clock.sleep(seconds(2));
  const from = clock.now();
  expect((await processor.run(cycles(1e9), from)) - from).toBeCloseTo(1, 9);
});

it("an abort ends the wait with the signal's reason", async () => {
  const processor = new EmulatedProcessor(new Clock(unixNow(), 1), rate);
  const abort = new AbortController();
  const run = processor.run(cycles(1e12), undefined, abort.signal);
  abort.abort("trial over");
  await expect(run).rejects.toBe("trial over");
});
