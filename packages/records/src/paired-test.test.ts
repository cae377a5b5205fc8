import { randomStream } from "@offloadlab/model";
import { expect, it } from "vitest";
import { holmAdjusted, pairedTest } from "./paired-test.ts";
import { estimate } from "./statistics.ts";

/** `scipy.stats.ttest_1samp` and `confidence_interval` (SciPy 1.17.1); J from `scipy.special.gammaln`. */
const published = [
  {
    // Student's own: hours of sleep that ten patients gained with one drug more than with another (Biometrika 6, 1908).
    differences: [1.2, 2.4, 1.3, 1.3, 0, 1, 1.8, 0.8, 4.6, 1.4],
    pValue: 0.002832890197384273,
    interval: [0.7001142367230174, 2.4598857632769824],
    effectSize: 1.173924903514205,
  },
  {
    differences: [0.02, -0.01, 0.05],
    pValue: 0.36754446796632423,
    interval: [-0.0545241313525099, 0.09452413135250991],
    effectSize: 0.3761263890318376,
  },
  {
    differences: [-3.1, -2.7, -4.4, -0.2, -1.9],
    pValue: 0.023989101190418444,
    interval: [-4.3887802482249025, -0.5312197517750972],
    effectSize: -1.2635618575869045,
  },
  {
    differences: [0.3, -0.2, 0.1, -0.4, 0.15, 0.06],
    pValue: 0.9878636880099457,
    interval: [-0.2663335270526936, 0.2696668603860269],
    effectSize: 0.005487008667940922,
  },
  {
    differences: [1, 1.5],
    pValue: 0.1256659163780024,
    interval: [-1.9265511840436735, 4.4265511840436735],
    effectSize: null,
  },
] as const;

it.each(published)("is SciPy's paired t-test of $differences", ({ differences, pValue, interval, effectSize }) => {
  const test = pairedTest(differences);
  expect(test.pValue).toBeCloseTo(pValue, 10);
  if (effectSize === null) expect(test.effectSize).toBeNull();
  else expect(test.effectSize).toBeCloseTo(effectSize, 10);
  const { mean, halfWidth } = estimate(differences);
  expect((mean as number) - (halfWidth as number)).toBeCloseTo(interval[0], 9);
  expect((mean as number) + (halfWidth as number)).toBeCloseTo(interval[1], 9);
});

it("is certain of pairs that all differ by the same, but for the rounding, and of those that do not differ", () => {
  expect(pairedTest([0.3 - 0.1, 0.2, 0.2])).toEqual({ pValue: 0, effectSize: null });
  expect(pairedTest([0, 0, 0])).toEqual({ pValue: 1, effectSize: null });
  expect(pairedTest([4])).toEqual({ pValue: null, effectSize: null });
  expect(pairedTest([])).toEqual({ pValue: null, effectSize: null });
});

it("has an effect size without bias for four pairs, where d_z is a third too large", () => {
  const random = randomStream(5, "effect");
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
  const effects = Array.from({ length: 20_000 }, () => {
    const { effectSize } = pairedTest([0, 0, 0, 0].map(() => 0.8 + normal()));
    return effectSize as number;
  });
  const { mean, halfWidth } = estimate(effects);
  expect(Math.abs((mean as number) - 0.8)).toBeLessThan(1.5 * (halfWidth as number));
  expect(0.8 * (1 / 0.7236 - 1)).toBeGreaterThan(10 * (halfWidth as number));
});

it("Holm's p-values are those of R's p.adjust", () => {
  const adjusted = holmAdjusted([0.01, 0.04, 0.03, 0.005]) as number[];
  for (const [index, expected] of [0.03, 0.06, 0.06, 0.02].entries()) expect(adjusted[index]).toBeCloseTo(expected, 12);
  expect(holmAdjusted([0.5, null, 0.9])).toEqual([1, null, 1]);
  expect(holmAdjusted([])).toEqual([]);
});
