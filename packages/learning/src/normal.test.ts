import { type RandomStream, randomStream } from "@offloadlab/model";
import { describe, expect, it } from "vitest";
import { Normal } from "./normal.ts";

const levels = 1 << 16;

/** What is drawn at every level, in turn. */
const drawnAtLevels = (): Float32Array => {
  let next = 0;
  const inTurn: RandomStream = { uniform: () => 0, poisson: () => 0, integer: (limit) => next++ % limit };
  const normal = new Normal(inTurn);
  return Float32Array.from({ length: levels }, () => normal.draw(1, 10));
};

describe("levels", () => {
  const quantiles = drawnAtLevels();

  // Published quantiles of the standard normal distribution, between the levels on both sides of them.
  it.each([
    [0.5, 0],
    [0.75, 0.6744897501960817],
    [0.9, 1.2815515655446004],
    [0.95, 1.6448536269514722],
    [0.975, 1.959963984540054],
    [0.99, 2.3263478740408408],
    [0.999, 3.090232306167813],
  ])("hold the quantile of %d", (level, quantile) => {
    const at = level * levels - 0.5;
    const low = quantiles[Math.floor(at)] as number;
    const high = quantiles[Math.ceil(at)] as number;
    expect(low + (at - Math.floor(at)) * (high - low)).toBeCloseTo(quantile, 5);
    expect(quantiles[levels - 1 - Math.floor(at)]).toBe(-low);
  });

  it("rise, and end 4.325 deviations away", () => {
    expect(quantiles.every((value, i) => i === 0 || value > (quantiles[i - 1] as number))).toBe(true);
    expect(quantiles[0]).toBeCloseTo(-4.324919040826044, 6);
    expect(quantiles[levels - 1]).toBe(-(quantiles[0] as number));
  });

  it("have a mean of 0, a variance of 1, no skew and a kurtosis of 3", () => {
    const moment = (power: number): number => quantiles.reduce((sum, value) => sum + value ** power, 0) / levels;
    expect(moment(1)).toBeCloseTo(0, 10);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(1e-4);
    expect(moment(3)).toBeCloseTo(0, 10);
    expect(moment(4)).toBeCloseTo(3, 2);
  });
});

it("draws have the deviation that is asked for", () => {
  const normal = new Normal(randomStream(1));
  const draws = Float32Array.from({ length: 100_000 }, () => normal.draw(0.2, 10));
  const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
  const variance = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws.length;
  // Five standard errors.
  expect(Math.abs(mean)).toBeLessThan((5 * 0.2) / Math.sqrt(draws.length));
  expect(Math.abs(variance / 0.04 - 1)).toBeLessThan(5 * Math.sqrt(2 / draws.length));
});

it("draws are clipped on both sides, as often as the distribution is beyond", () => {
  const normal = new Normal(randomStream(1));
  const values = new Float32Array(100_000);
  normal.fill(values, 0.2, 0.3);
  const clip = Math.fround(0.3);
  expect(values.every((value) => Math.abs(value) <= clip)).toBe(true);
  // Beyond 1.5 deviations on one side: 0.0668.
  for (const limit of [clip, -clip]) {
    const part = values.filter((value) => value === limit).length / values.length;
    expect(Math.abs(part - 0.0668072)).toBeLessThan(5 * Math.sqrt((0.067 * 0.933) / values.length));
  }
});

it("a deviation or a clip of 0 draws 0", () => {
  const normal = new Normal(randomStream(1));
  for (let i = 0; i < 20; i++) {
    expect(Math.abs(normal.draw(0, 0.5))).toBe(0);
    expect(Math.abs(normal.draw(1, 0))).toBe(0);
  }
});

it("draws from the stream that it uses", () => {
  const normal = new Normal(randomStream(1));
  const first = new Float32Array(5);
  normal.fill(first, 1, 10);
  const second = new Float32Array(5);
  normal.use(randomStream(1));
  normal.fill(second, 1, 10);
  expect(second).toEqual(first);
});
