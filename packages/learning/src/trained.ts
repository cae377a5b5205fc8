import { adamDefaults, adamStep } from "./graph/adam.ts";
import { add, type Expression, input, multiply } from "./graph/expression.ts";

/** A network while it is trained, or several of one layout; each part is [..., size of the layout], flat. */
export interface Trained<T = Expression> {
  readonly weights: T;
  /** Adam's running mean of the gradient. */
  readonly first: T;
  /** Adam's running mean of the gradient's square. */
  readonly second: T;
  /** Weights of the network that targets are computed with. */
  readonly target: T;
}

/** What the parts are called in feeds and in snapshots; results have `Next` behind. */
export const partNames = (name: string): Trained<string> => ({
  weights: name,
  first: `${name}First`,
  second: `${name}Second`,
  target: `${name}Target`,
});

/** What Adam's corrections of a step are called in feeds. */
export const correctionNames = (name: string) => ({
  first: `${name}FirstCorrection`,
  second: `${name}SecondCorrection`,
});

/** A network whose parts are fed. */
export const trainedInput = (name: string, shape: readonly number[]): Trained => {
  const { weights, first, second, target } = partNames(name);
  const part = (partName: string): Expression => input(partName, shape);
  return { weights: part(weights), first: part(first), second: part(second), target: part(target) };
};

/** The network after a step of Adam down a gradient; its target stays. @param gradient as the weights */
export const descended = (name: string, trained: Trained, gradient: Expression, learningRate: number): Trained => {
  const { first, second } = correctionNames(name);
  const corrections = { first: input(first, [1]), second: input(second, [1]) };
  return { ...trained, ...adamStep(trained, gradient, corrections, { ...adamDefaults, learningRate }) };
};

/** Alg. 1, line 19: θ' ← ρ θ + (1 − ρ) θ'. @param targetShare ρ: 0 keeps the target, 1 copies the network */
export const followed = (trained: Trained, targetShare: number): Trained => ({
  ...trained,
  target: add(multiply(trained.weights, targetShare), multiply(trained.target, 1 - targetShare)),
});

/** The parts that an update has changed, by the names of results. */
export const trainedOutputs = (name: string, trained: Trained): Record<string, Expression> => {
  const names = partNames(name);
  const parts = Object.entries(trained) as [keyof Trained, Expression][];
  const changed = parts.filter(([, { operation }]) => operation.kind !== "input");
  return Object.fromEntries(changed.map(([part, expression]) => [`${names[part]}Next`, expression]));
};
