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
 * One step of Adam, with corrections in the order of operations that its paper recommends at the end of section 2: they
 * are applied to single numbers, not to every weight.
 *
 * @param correction [1] each, of this step, from `adamCorrection`
 */
export const adamStep = (
  { weights, first, second }: AdamState,
  gradient: Expression,
  correction: { readonly first: Expression; readonly second: Expression },
  { learningRate, firstDecay, secondDecay, epsilon }: AdamSettings,
): AdamState => {
  const nextFirst = add(multiply(first, firstDecay), multiply(gradient, 1 - firstDecay));
  const nextSecond = add(multiply(second, secondDecay), multiply(square(gradient), 1 - secondDecay));
  const direction = divide(nextFirst, add(squareRoot(nextSecond), multiply(correction.second, epsilon)));
  const step = multiply(direction, multiply(correction.first, learningRate));
  return { weights: subtract(weights, step), first: nextFirst, second: nextSecond };
};

/** What the learning rate and ε of the t-th step, from 1, are multiplied by, as moments begin at 0. */
export const adamCorrection = (step: number, { firstDecay, secondDecay }: AdamSettings): [number, number] => {
  const ofSecond = Math.sqrt(1 - secondDecay ** step);
  return [ofSecond / (1 - firstDecay ** step), ofSecond];
};
