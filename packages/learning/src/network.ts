import { randomStream } from "@offloadlab/model";
import { add, type Expression, matmul, mean, relu, reshape, tanh } from "./graph/expression.ts";
import { type Layout, layoutSize, type Weights } from "./graph/parameters.ts";

/**
 * What an agent observes and does, as rows that one network maps: one row for the whole community (`flat`), or one for
 * each end device (`set`).
 */
export interface Rows {
  /** Rows of a state. */
  readonly rows: number;
  /** Numbers of a row's state. */
  readonly features: number;
  /** Numbers of a row's action, each in [−1, 1]. */
  readonly actions: number;
  /** Values, and rewards, of a row. */
  readonly values: number;
}

/**
 * A network of two hidden layers with ReLU.
 *
 * With `pooled`, the second layer also sees the mean of the first one's outputs over the rows of a state: each row knows
 * of all others, in whatever order, however many there are.
 */
export interface NetworkShape {
  readonly inputs: number;
  readonly hidden: number;
  readonly outputs: number;
  readonly pooled: boolean;
}

/** The weights of a network. */
export const networkLayout = ({ inputs, hidden, outputs, pooled }: NetworkShape): Layout => ({
  firstWeights: [inputs, hidden],
  firstBias: [1, hidden],
  secondWeights: [hidden, hidden],
  ...(pooled ? { pooledWeights: [hidden, hidden] } : {}),
  secondBias: [1, hidden],
  lastWeights: [hidden, outputs],
  lastBias: [1, outputs],
});

/**
 * What a network makes of rows.
 *
 * @param weights those of one network, or of several with an axis in front
 * @param x [states · rows, inputs]
 * @param rows of each state
 * @returns [..., states · rows, outputs]
 */
export const network = (weights: Weights, x: Expression, rows: number): Expression => {
  const weight = (name: string): Expression => weights[name] as Expression;
  const first = relu(add(matmul(x, weight("firstWeights")), weight("firstBias")));
  const second = add(matmul(first, weight("secondWeights")), weight("secondBias"));
  const mixed =
    weights["pooledWeights"] === undefined ? second : withContext(first, second, weight("pooledWeights"), rows);
  return add(matmul(relu(mixed), weight("lastWeights")), weight("lastBias"));
};

/** Adds to each row what the mean of its state's rows says. */
const withContext = (first: Expression, second: Expression, pooledWeights: Expression, rows: number): Expression => {
  const [hidden = 0, states = 0, ...leading] = [...first.shape].reverse();
  const front = leading.reverse();
  const byState = [...front, states / rows, rows, hidden];
  const context = matmul(mean(reshape(first, byState), [byState.length - 2]), pooledWeights);
  const spread = reshape(context, [...front, states / rows, 1, hidden]);
  return reshape(add(reshape(second, byState), spread), second.shape);
};

/** μ: actions of rows, squashed into [−1, 1]. */
export const actor = (weights: Weights, states: Expression, rows: number): Expression =>
  tanh(network(weights, states, rows));

/** Weights before the first update: uniform within ± 1 / √inputs of each layer, as PyTorch has them. */
export const initialWeights = (layout: Layout, seed: number, name: string): Float32Array => {
  const random = randomStream(seed, "weights", name);
  const values = new Float32Array(layoutSize(layout));
  let start = 0;
  let bound = 0;
  for (const [weight, shape] of Object.entries(layout)) {
    // A bias follows the weights whose outputs it is added to.
    if (!weight.endsWith("Bias")) bound = 1 / Math.sqrt(shape[0] as number);
    const end = start + shape.reduce((product, size) => product * size, 1);
    for (; start < end; start++) values[start] = random.uniform(-bound, bound);
  }
  return values;
};

/**
 * A network in plain JavaScript: a single state is mapped faster here than it takes to call a runtime, and a policy
 * decides without waiting.
 */
export class Forward {
  readonly #shape: NetworkShape;
  readonly #rows: number;
  readonly #first: Float32Array;
  readonly #second: Float32Array;
  readonly #context: Float32Array;
  readonly #pool: Float32Array;

  constructor(shape: NetworkShape, rows: number) {
    this.#shape = shape;
    this.#rows = rows;
    this.#first = new Float32Array(rows * shape.hidden);
    this.#second = new Float32Array(rows * shape.hidden);
    this.#context = new Float32Array(shape.hidden);
    this.#pool = new Float32Array(shape.hidden);
  }

  /**
   * @param weights as `networkLayout` has them, flat
   * @param x [rows, inputs]
   * @param y [rows, outputs], filled
   */
  run(weights: Float32Array, x: Float32Array, y: Float32Array): void {
    const { inputs, hidden, outputs, pooled } = this.#shape;
    const rows = this.#rows;
    const first = this.#first;
    const second = this.#second;
    let at = 0;
    const firstBias = inputs * hidden;
    layer(weights, at, firstBias, x, first, rows, inputs, hidden);
    rectify(first);
    at = firstBias + hidden;
    const pooledWeights = at + hidden * hidden;
    const secondBias = pooledWeights + (pooled ? hidden * hidden : 0);
    layer(weights, at, secondBias, first, second, rows, hidden, hidden);
    if (pooled) {
      this.#pool.fill(0);
      for (let i = 0; i < first.length; i++) {
        this.#pool[i % hidden] = (this.#pool[i % hidden] as number) + (first[i] as number) / rows;
      }
      layer(weights, pooledWeights, -1, this.#pool, this.#context, 1, hidden, hidden);
      for (let i = 0; i < second.length; i++) {
        second[i] = (second[i] as number) + (this.#context[i % hidden] as number);
      }
    }
    rectify(second);
    at = secondBias + hidden;
    layer(weights, at, at + hidden * outputs, second, y, rows, hidden, outputs);
  }
}

/** y = x · W + b, with W and b somewhere in a flat array; no b below 0. */
const layer = (
  weights: Float32Array,
  matrix: number,
  bias: number,
  x: Float32Array,
  y: Float32Array,
  rows: number,
  inputs: number,
  outputs: number,
): void => {
  for (let row = 0; row < rows; row++) {
    const out = row * outputs;
    for (let j = 0; j < outputs; j++) y[out + j] = bias < 0 ? 0 : (weights[bias + j] as number);
    for (let i = 0; i < inputs; i++) {
      const value = x[row * inputs + i] as number;
      if (value === 0) continue;
      const from = matrix + i * outputs;
      for (let j = 0; j < outputs; j++) y[out + j] = (y[out + j] as number) + value * (weights[from + j] as number);
    }
  }
};

const rectify = (values: Float32Array): void => {
  for (let i = 0; i < values.length; i++) if ((values[i] as number) < 0) values[i] = 0;
};
