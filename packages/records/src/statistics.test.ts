import { randomStream } from "@offloadlab/model";
import { expect, it } from "vitest";
import { estimate, studentQuantile } from "./statistics.ts";

it.each([
  [0.975, 1, 12.7062],
  [0.975, 2, 4.30265],
  [0.975, 4, 2.77645],
  [0.975, 9, 2.26216],
  [0.975, 29, 2.04523],
  [0.975, 100, 1.98397],
  [0.95, 1, 6.31375],
  [0.95, 10, 1.81246],
  [0.995, 3, 5.84091],
  [0.9, 5, 1.47588],
])("the %f quantile of Student's t with %i degrees of freedom is the table's", (probability, freedom, expected) => {
  expect(Math.abs(studentQuantile(probability, freedom) / expected - 1)).toBeLessThan(3e-6);
});

it("Student's t comes down to the normal distribution as the degrees of freedom grow", () => {
  let before = Number.POSITIVE_INFINITY;
  for (const freedom of [1, 1.5, 2, 3, 5, 10, 100, 1000, 1e5]) {
    const quantile = studentQuantile(0.975, freedom);
    expect(quantile).toBeLessThan(before);
    before = quantile;
  }
  expect(before).toBeCloseTo(1.959964, 4);
});

it("estimates the mean of a sample with its interval", () => {
  // Variance 2.5, so the half width is 2.776445 · √(2.5 / 5).
  const { mean, halfWidth, n } = estimate([1, 2, 3, 4, 5]);
  expect([mean, n]).toEqual([3, 5]);
  expect(halfWidth).toBeCloseTo(2.776445 * Math.SQRT1_2, 5);
  // Variance 2, one degree of freedom.
  expect(estimate([-1, 1]).halfWidth).toBeCloseTo(12.7062, 3);
  expect(estimate([7, 7, 7])).toEqual({ mean: 7, halfWidth: 0, n: 3 });
});

it("gives no interval for one value, and no mean for none", () => {
  expect(estimate([4])).toEqual({ mean: 4, halfWidth: null, n: 1 });
  expect(estimate([])).toEqual({ mean: null, halfWidth: null, n: 0 });
});

it("covers the true mean of three normal draws in 95 % of 10 000 experiments", () => {
  const random = randomStream(7, "coverage");
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
  let covered = 0;
  for (let experiment = 0; experiment < 10_000; experiment += 1) {
    const { mean, halfWidth } = estimate([5 + 2 * normal(), 5 + 2 * normal(), 5 + 2 * normal()]);
    if (Math.abs((mean as number) - 5) <= (halfWidth as number)) covered += 1;
  }
  expect(covered / 10_000).toBeGreaterThan(0.94);
  expect(covered / 10_000).toBeLessThan(0.96);
});
