import { Clock, type Processor, unixNow } from "@offloadlab/hardware";
import { cycles, hertz } from "@offloadlab/units";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Classifier, openClassifier } from "./classifier.ts";
import { type Compute, emulatedCompute, measuredCompute } from "./inference-processor.ts";

const rate = hertz(1.5e9);
let classifier: Classifier;
let measured: Compute;
beforeAll(async () => {
  classifier = await openClassifier();
  measured = await measuredCompute(classifier, rate);
}, 30_000);
afterAll(() => classifier.close());

/** What a trial relies on, whatever the processor is. */
const checkProcessor = async (processor: Processor, clock: Clock, inference: number): Promise<void> => {
  expect(processor.rate).toBe(rate);
  const start = clock.now();
  const [first, second] = await Promise.all([
    processor.run(cycles(4 * inference), start),
    processor.run(cycles(4 * inference), start),
  ]);
  expect(first).toBeGreaterThan(start);
  // One piece of work after the other, and none has ended before it has.
  expect(second).toBeGreaterThan(first);
  expect(second).toBeLessThanOrEqual(clock.now());
  const abort = new AbortController();
  const run = processor.run(cycles(1e5 * inference), clock.now(), abort.signal);
  abort.abort("trial over");
  await expect(run).rejects.toBe("trial over");
};

describe.each([
  ["emulated", () => emulatedCompute(cycles(1e7))],
  ["measured", () => measured],
] as const)("a processor that is %s", (_, compute) => {
  it("keeps the contract", async () => {
    const clock = new Clock(unixNow(), 1);
    const { cyclesPerInference, processor } = compute();
    await checkProcessor(processor(clock, rate, 1), clock, cyclesPerInference);
  });
});

it("an inference counts for its seconds at the pinned clock", async () => {
  const twice = await measuredCompute(classifier, hertz(2 * rate));
  // The same seconds, give or take a busy machine.
  expect(twice.cyclesPerInference / measured.cyclesPerInference).toBeGreaterThan(0.4);
  expect(measured.cyclesPerInference / rate).toBeLessThan(1);
});

it("settings of another board, or of another speed of time, are refused", () => {
  const clock = new Clock(unixNow(), 1);
  expect(() => measured.processor(clock, hertz(1.2e9), 1)).toThrow(/1\.5 GHz, got 1\.2 GHz/);
  expect(() => measured.processor(clock, rate, 2)).toThrow(/clock_speed_ratio 1/);
  expect(() => measured.processor(clock, hertz(1.51e9), 1)).not.toThrow();
});
