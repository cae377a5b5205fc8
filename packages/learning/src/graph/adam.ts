import { add, divide, type Expression, multiply, square, squareRoot, subtract } from "./expression.ts";

/** Kingma & Ba, Adam (ICLR 2015), with the authors' defaults. */
export interface AdamSettings {
  /** τ of the paper: 0 learns nothing. */
  readonly learningRate: number;
  /** How much of the mean gradient stays, [0, 1). */
  readonly firstDecay: number;
  /** How much of the mean square stays, [0, 1). */
  readonly secondDecay: number;
  readonly epsilon: number;
}

export const adamDefaults = { firstDecay: 0.9, secondDecay: 0.999, epsilon: 1e-8 } as const;

/** Weights and the moments of their gradients, all flat and of one size. */
export interface AdamState {
  readonly weights: Expression;
  readonly first: Expression;
  readonly second: Expression;
}

/**
 * One step of Adam.
 *
 * @param correction [2] of this step: 1 / (1 − firstDecay^t) and 1 / (1 − secondDecay^t), from `adamCorrection`
 */
export const adamStep = (
  { weights, first, second }: AdamState,
  gradient: Expression,
  correction: { readonly first: Expression; readonly second: Expression },
  { learningRate, firstDecay, secondDecay, epsilon }: AdamSettings,
): AdamState => {
  const nextFirst = add(multiply(first, firstDecay), multiply(gradient, 1 - firstDecay));
  const nextSecond = add(multiply(second, secondDecay), multiply(square(gradient), 1 - secondDecay));
  // √(v · c) + ε = √c · (√v + ε / √c): corrections are applied to single numbers, not to every weight.
  const root = squareRoot(correction.second);
  const stepSize = multiply(divide(correction.first, root), learningRate);
  const direction = divide(nextFirst, add(squareRoot(nextSecond), divide(epsilon, root)));
  return { weights: subtract(weights, multiply(direction, stepSize)), first: nextFirst, second: nextSecond };
};

/** What the moments of the t-th step, from 1, are divided by, inverted. */
export const adamCorrection = (step: number, { firstDecay, secondDecay }: AdamSettings): [number, number] => [
  1 / (1 - firstDecay ** step),
  1 / (1 - secondDecay ** step),
];
