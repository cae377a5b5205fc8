import { randomStream } from "@offloadlab/model";
import fc from "fast-check";
import { expect, it } from "vitest";
import { bootstrap, percentileBootstrap } from "./bootstrap.ts";

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 12 });

it("lies within the values, and the same seed gives the same interval whatever was asked before", () => {
  const used = bootstrap(1, 200);
  fc.assert(
    fc.property(values, (values) => {
      const interval = used(values);
      expect(interval).toEqual(bootstrap(1, 200)(values));
      const [low, high] = interval as readonly [number, number];
      expect(low).toBeLessThanOrEqual(high);
      const slack = 1e-9 * Math.max(...values.map(Math.abs));
      expect(low).toBeGreaterThanOrEqual(Math.min(...values) - slack);
      expect(high).toBeLessThanOrEqual(Math.max(...values) + slack);
    }),
  );
});

it("moves and scales with the values", () => {
  const of = bootstrap(2);
  const [low, high] = of([1, 4, 2, 8, 5, 7]) as readonly [number, number];
  const [movedLow, movedHigh] = of([12, 18, 14, 26, 20, 24]) as readonly [number, number];
  expect(movedLow).toBeCloseTo(10 + 2 * low, 9);
  expect(movedHigh).toBeCloseTo(10 + 2 * high, 9);
});

it("has 1.96 standard errors to either side for many normal values", () => {
  const random = randomStream(3);
  // The sum of twelve uniform draws is nearly normal, with variance 1.
  const drawn = Array.from({ length: 400 }, () => Array.from({ length: 12 }, () => random.uniform(-0.5, 0.5)));
  const sample = drawn.map((parts) => parts.reduce((sum, part) => sum + part, 0));
  const mean = sample.reduce((sum, value) => sum + value, 0) / sample.length;
  const deviation = Math.sqrt(sample.reduce((sum, value) => sum + (value - mean) ** 2, 0) / sample.length);
  const [low, high] = bootstrap(4)(sample) as readonly [number, number];
  const expected = (1.96 * deviation) / Math.sqrt(sample.length);
  expect((mean - low) / expected).toBeCloseTo(1, 1);
  expect((high - mean) / expected).toBeCloseTo(1, 1);
});

it("is the value itself where all are equal, and there is none of fewer than two", () => {
  const [low, high] = bootstrap(1)([0.1, 0.1, 0.1]) as readonly [number, number];
  expect(low).toBe(high);
  expect(low).toBeCloseTo(0.1, 15);
  expect(bootstrap(1)([])).toBeNull();
  expect(bootstrap(1)([1])).toBeNull();
  expect(() => bootstrap(1, 0)).toThrow(RangeError);
});

it("is wider than plain percentiles for few values, and no wider for many", () => {
  const few = [1, 4, 2, 8, 5];
  const width = ([low, high]: readonly [number, number]): number => high - low;
  const widths = (values: readonly number[]) =>
    [bootstrap(1), percentileBootstrap(1)].map((of) => width(of(values) as readonly [number, number]));
  const [wide, plain] = widths(few) as [number, number];
  // As far as normal percentiles would have to be apart: √(5 / 4) · 2.776 / 1.96.
  expect(wide / plain).toBeGreaterThan(1.35);
  expect(wide / plain).toBeLessThan(1.7);
  const [wideOfMany, plainOfMany] = widths(Array.from({ length: 400 }, (_, i) => (i * 7919) % 400)) as [number, number];
  expect(wideOfMany / plainOfMany).toBeLessThan(1.05);
});
