import { type Choices, indexOfLargest, writeChoice } from "./choices.ts";
import type { FeatureSettings } from "./features.ts";
import { type Constant, encodeModel, type Graph, type GraphNode } from "./graph/onnx.ts";
import { type ReadModel, readModel } from "./graph/onnx-reader.ts";
import { layoutSize } from "./graph/parameters.ts";
import { Forward, type NetworkShape, networkLayout } from "./network.ts";

/** What of an agent decides: a network and what its outputs mean. */
export interface Actor {
  readonly shape: NetworkShape;
  /** As `networkLayout` has them, flat. */
  readonly weights: Float32Array;
  /** What every head chooses from, the one of the highest output; without them outputs are squashed by tanh. */
  readonly choices: Choices | undefined;
}

type Networks = FeatureSettings["networks"];

/** Names of an actor's input, [rows, features], and output, [rows, actions]. */
export const actorInput = "features";
export const actorOutput = "action";
/** The axis whose size is known only when the model runs. */
const anyRows = "devices";

/**
 * An actor as a complete model: `features` in, `action` within [−1, 1] out.
 *
 * @param networks `set` takes any number of rows, one for each device; `flat` takes one row
 */
export const actorModel = ({ shape, weights, choices }: Actor, networks: Networks): Graph => {
  const { inputs, pooled } = shape;
  const rows = networks === "set" ? anyRows : 1;
  const nodes: GraphNode[] = [];
  const node = (operator: string, from: readonly string[], to: string, attributes: GraphNode["attributes"] = {}) => {
    nodes.push({ operator, inputs: from, outputs: [to], attributes });
    return to;
  };
  const dense = (x: string, layer: string): string => {
    const product = node("MatMul", [x, `${layer}Weights`], `${layer}Product`);
    return node("Add", [product, `${layer}Bias`], `${layer}Sum`);
  };
  const first = node("Relu", [dense(actorInput, "first")], "first");
  let second = dense(first, "second");
  if (pooled) {
    const mean = node("ReduceMean", [first], "mean", { axes: { ints: [0] }, keepdims: { int: 1 } });
    second = node("Add", [second, node("MatMul", [mean, "pooledWeights"], "context")], "mixed");
  }
  const outputs = dense(node("Relu", [second], "second"), "last");
  const constants = [...weightsByName(shape, weights)];
  let actions = shape.outputs;
  if (choices === undefined) node("Tanh", [outputs], actorOutput);
  else {
    const numbers = choices[0]?.length ?? 0;
    const heads = shape.outputs / choices.length;
    actions = heads * numbers;
    constants.push(
      { name: "choices", type: "float32", shape: [choices.length, numbers], data: Float32Array.from(choices.flat()) },
      // 0 keeps the number of rows.
      integers("valueShape", [0, heads, choices.length]),
      integers("actionShape", [0, actions]),
    );
    const values = node("Reshape", [outputs, "valueShape"], "values");
    const best = node("ArgMax", [values], "best", { axis: { int: 2 }, keepdims: { int: 0 } });
    const chosen = node("Gather", ["choices", best], "chosen", { axis: { int: 0 } });
    // A row has a number of all heads, then the next number.
    const byNumber = node("Transpose", [chosen], "byNumber", { perm: { ints: [0, 2, 1] } });
    node("Reshape", [byNumber, "actionShape"], actorOutput);
  }
  return {
    name: "actor",
    inputs: [{ name: actorInput, type: "float32", shape: [rows, inputs] }],
    outputs: [{ name: actorOutput, type: "float32", shape: [rows, actions] }],
    constants,
    nodes,
  };
};

const weightsByName = (shape: NetworkShape, weights: Float32Array): Constant[] => {
  let start = 0;
  return Object.entries(networkLayout(shape)).map(([name, weightShape]) => {
    const end = start + weightShape.reduce((product, size) => product * size, 1);
    const data = weights.slice(start, end);
    start = end;
    return { name, type: "float32", shape: weightShape, data };
  });
};

const integers = (name: string, values: readonly number[]): Constant => ({
  name,
  type: "int64",
  shape: [values.length],
  data: BigInt64Array.from(values, BigInt),
});

/**
 * The actor that a model's bytes are of, undefined when this code has not written them.
 *
 * What is read is written again and must be the same bytes: a model that only resembles an actor does something else.
 *
 * @throws RangeError when the bytes are no ONNX model
 */
export const actorOf = (bytes: Uint8Array, model: ReadModel = readModel(bytes)): Actor | undefined => {
  const constants = new Map(model.constants.map((constant) => [constant.name, constant]));
  const [inputs = 0, hidden = 0] = constants.get("firstWeights")?.shape ?? [];
  const [, outputs = 0] = constants.get("lastWeights")?.shape ?? [];
  const shape: NetworkShape = { inputs, hidden, outputs, pooled: constants.has("pooledWeights") };
  const parts = Object.keys(networkLayout(shape)).map((name) => constants.get(name)?.data ?? new Float32Array());
  const size = layoutSize(networkLayout(shape));
  if (size === 0 || parts.reduce((sum, { length }) => sum + length, 0) !== size) return undefined;
  const table = constants.get("choices");
  const [count = 0, numbers = 0] = table?.shape ?? [];
  const choices = Array.from({ length: count }, (_, i) => [
    ...(table?.data ?? []).slice(i * numbers, (i + 1) * numbers),
  ]);
  const weights = new Float32Array(size);
  let at = 0;
  for (const part of parts) {
    weights.set(part, at);
    at += part.length;
  }
  const networks = model.inputs[0]?.shape[0] === anyRows ? "set" : "flat";
  const actor: Actor = { shape, weights, choices: table === undefined ? undefined : choices };
  return isSame(bytes, actor, networks) ? actor : undefined;
};

const isSame = (bytes: Uint8Array, actor: Actor, networks: Networks): boolean => {
  try {
    return Buffer.compare(bytes, encodeModel(actorModel(actor, networks))) === 0;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
};

/** An actor that decides without waiting. */
export class ActorForward {
  readonly #actor: Actor;
  readonly #forward: Forward;
  readonly #outputs: Float32Array;
  readonly #rows: number;

  constructor(actor: Actor, rows: number) {
    this.#actor = actor;
    this.#forward = new Forward(actor.shape, rows);
    this.#outputs = new Float32Array(rows * actor.shape.outputs);
    this.#rows = rows;
  }

  /** @param features [rows, features] @param action [rows, actions], filled */
  act(features: Float32Array, action: Float32Array): void {
    const { weights, choices } = this.#actor;
    const outputs = this.#outputs;
    this.#forward.run(weights, features, outputs);
    if (choices === undefined) {
      for (let i = 0; i < outputs.length; i++) action[i] = Math.tanh(outputs[i] as number);
      return;
    }
    const heads = outputs.length / this.#rows / choices.length;
    const actions = action.length / this.#rows;
    for (let row = 0; row < this.#rows; row++) {
      const own = action.subarray(row * actions, (row + 1) * actions);
      for (let head = 0; head < heads; head++) {
        const best = indexOfLargest(outputs, (row * heads + head) * choices.length, choices.length);
        writeChoice(choices[best] as readonly number[], head, heads, own);
      }
    }
  }
}
