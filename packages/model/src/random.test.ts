import fc from "fast-check";
import { expect, it } from "vitest";
import { randomStream } from "./random.ts";

const draws = (seed: number, labels: (string | number)[], size = 8) => {
  const random = randomStream(seed, ...labels);
  return Array.from({ length: size }, () => random.uniform());
};

it("the same seed and labels give the same draws", () => {
  fc.assert(
    fc.property(fc.integer(), fc.string(), fc.nat(), (seed, label, index) => {
      expect(draws(seed, [label, index])).toEqual(draws(seed, [label, index]));
    }),
  );
});

it("these draws never change, or recorded runs could not be repeated", () => {
  const random = randomStream(1, "pinned", 2);
  const drawn = [random.uniform(), random.uniform(-1, 1), random.integer(1000), random.poisson(1), random.poisson(100)];
  expect(drawn).toMatchInlineSnapshot(`
    [
      0.6250537666322225,
      0.6669149711282487,
      36,
      0,
      94,
    ]
  `);
});

it.each([
  [
    [1, []],
    [2, []],
  ],
  [
    [1, ["a"]],
    [1, ["b"]],
  ],
  [
    [1, [1]],
    [1, ["1"]],
  ],
  [
    [1, ["a", "b"]],
    [1, ["ab"]],
  ],
  [
    [1, [0, 1]],
    [1, [1, 0]],
  ],
] as const)("%j and %j are different streams", (first, second) => {
  expect(draws(first[0], [...first[1]])).not.toEqual(draws(second[0], [...second[1]]));
});

it("neighbouring streams are not correlated", () => {
  const size = 2000;
  const first = draws(7, ["device", 0], size);
  const second = draws(7, ["device", 1], size);
  const covariance = first.reduce((sum, x, i) => sum + (x - 0.5) * ((second[i] as number) - 0.5), 0) / size;
  // Three standard errors of a correlation of 0.
  expect(Math.abs(12 * covariance)).toBeLessThan(3 / Math.sqrt(size));
});

it("uniform draws stay between their bounds and have their mean and variance", () => {
  const random = randomStream(3);
  const drawn = Array.from({ length: 20_000 }, () => random.uniform(2, 4));
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(2);
  expect(Math.max(...drawn)).toBeLessThan(4);
  const mean = drawn.reduce((sum, x) => sum + x, 0) / drawn.length;
  expect(mean).toBeCloseTo(3, 1);
  expect(drawn.reduce((sum, x) => sum + (x - mean) ** 2, 0) / drawn.length).toBeCloseTo(4 / 12, 1);
});

it("equal bounds make a constant", () => expect(randomStream(1).uniform(1.5e9, 1.5e9)).toBe(1.5e9));

it("integers reach every value below their limit", () => {
  const random = randomStream(4);
  const drawn = new Set(Array.from({ length: 1000 }, () => random.integer(7)));
  expect([...drawn].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

it.each([0.3, 1, 7, 16, 40, 1000])("Poisson draws of mean %d have that mean and variance", (expected) => {
  const random = randomStream(5, "poisson", expected);
  const size = 20_000;
  const drawn = Array.from({ length: size }, () => random.poisson(expected));
  const mean = drawn.reduce((sum, x) => sum + x, 0) / size;
  const variance = drawn.reduce((sum, x) => sum + (x - mean) ** 2, 0) / size;
  expect(Math.abs(mean - expected)).toBeLessThan(4 * Math.sqrt(expected / size));
  expect(variance / expected).toBeGreaterThan(0.95);
  expect(variance / expected).toBeLessThan(1.05);
});

it("a Poisson of mean 0 has no events, and there is none of a negative mean", () => {
  const random = randomStream(6);
  expect(Array.from({ length: 100 }, () => random.poisson(0))).toEqual(Array(100).fill(0));
  expect(() => random.poisson(-1)).toThrow(RangeError);
});

it("a Poisson of mean 1 has no event with probability 1/e", () => {
  const random = randomStream(8);
  const size = 50_000;
  const none = Array.from({ length: size }, () => random.poisson(1)).filter((events) => events === 0).length;
  expect(none / size).toBeCloseTo(Math.exp(-1), 2);
});
