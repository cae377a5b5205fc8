import type { RandomStream } from "@offloadlab/model";
import type { Rows } from "./network.ts";
import type { Normal } from "./normal.ts";
import { type Bounds, shares, sizes } from "./settings.ts";

/** How continuous actions are explored. */
export interface ExplorationSettings {
  /** σ₁ of ε₁, in the action's own unit, at least 0: 0 adds nothing. */
  readonly actionNoise: number;
  /** c, the largest noise, at least 0. */
  readonly noiseClip: number;
  /** How often a number of an action is random instead, each for itself, [0, 1]. */
  readonly randomActionProbability: number;
}

export const explorationBounds: Readonly<Record<keyof ExplorationSettings, Bounds>> = {
  actionNoise: sizes,
  noiseClip: sizes,
  randomActionProbability: shares,
};

/**
 * Adds ε₁ to an action, and now and then replaces one of its numbers by a random one.
 *
 * Alg. 1, line 10: a(t) = μ(s(t)) + ε₁, ε₁ ~ clip(N(0, σ₁), −c, c)
 *
 * Differs: the sum is clipped to the action's range. Random numbers are ours: tanh outputs near ±1 hardly leave them by
 * noise alone, and what α is worth shows best while w and β are what the actor would have.
 *
 * @param action [rows, actions], changed
 */
export const exploreAround = (
  action: Float32Array,
  { rows, actions }: Rows,
  { actionNoise, noiseClip, randomActionProbability }: ExplorationSettings,
  random: RandomStream,
  normal: Normal,
): void => {
  for (let row = 0; row < rows; row++) {
    for (let i = row * actions; i < (row + 1) * actions; i++) {
      const isRandom = random.uniform() < randomActionProbability;
      action[i] = isRandom
        ? random.uniform(-1, 1)
        : clamped((action[i] as number) + normal.draw(actionNoise, noiseClip));
    }
  }
};

/** Fills an action with anything in its range. @param action [rows, actions] */
export const randomAction = (action: Float32Array, random: RandomStream): void => {
  for (let i = 0; i < action.length; i++) action[i] = random.uniform(-1, 1);
};

const clamped = (value: number): number => Math.min(Math.max(value, -1), 1);
