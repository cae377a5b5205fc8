import { randomStream } from "@offloadlab/model";
import { expect, it } from "vitest";
import { exploreAround, randomAction } from "./exploration.ts";
import { Normal } from "./normal.ts";

const shape = { rows: 4_000, features: 1, actions: 3, values: 1 };
const explored = (
  actionNoise: number,
  noiseClip: number,
  randomActionProbability: number,
  value: number,
): Float32Array => {
  const random = randomStream(1);
  const action = new Float32Array(shape.rows * shape.actions).fill(value);
  exploreAround(action, shape, { actionNoise, noiseClip, randomActionProbability }, random, new Normal(random));
  return action;
};
const meanOf = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

it("Alg. 1, line 10: noise is around the action, no farther than c, and stays in the action's range", () => {
  const around = explored(0.2, 0.5, 0, 0.1);
  expect(meanOf(around)).toBeCloseTo(0.1, 1);
  expect(around.every((value) => Math.abs(value - 0.1) <= 0.5 + 1e-6)).toBe(true);
  expect(new Set(around).size).toBeGreaterThan(1_000);
  expect(explored(0.2, 0.5, 0, 0.9).every((value) => value <= 1)).toBe(true);
});

it("without noise and random numbers, an action stays as it is", () => {
  expect(explored(0, 0.5, 0, 0.25).every((value) => value === 0.25)).toBe(true);
});

it("each number is random for itself, as often as is asked", () => {
  const action = explored(0, 0, 0.2, 0.25);
  const isRandom = [...action].map((value) => value !== 0.25);
  const share = isRandom.filter(Boolean).length / action.length;
  // Five deviations, here and below.
  expect(Math.abs(share - 0.2)).toBeLessThan(5 * Math.sqrt(0.16 / action.length));
  const both = isRandom.filter((random, i) => i % 3 === 0 && random && isRandom[i + 1]).length / shape.rows;
  expect(Math.abs(both - 0.04)).toBeLessThan(5 * Math.sqrt(0.04 / shape.rows));
});

it("a random action is anywhere in the range", () => {
  const action = new Float32Array(4_000);
  randomAction(action, randomStream(1));
  expect(Math.abs(meanOf(action))).toBeLessThan(5 / Math.sqrt(3 * action.length));
  expect(Math.max(...action)).toBeGreaterThan(0.99);
  expect(Math.min(...action)).toBeLessThan(-0.99);
});
