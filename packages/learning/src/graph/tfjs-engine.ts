import { createRequire } from "node:module";
import type { Expression } from "./expression.ts";
import { dependents, inOrder } from "./order.ts";
import { type Engine, fed, type Input, inputsOf, type Program, type Values } from "./program.ts";
import { computed, type Tensor, type Tf } from "./tfjs-operations.ts";

/**
 * TensorFlow.js, with its native binding where `@tensorflow/tfjs-node` is installed.
 *
 * Slower than ONNX Runtime, and its oracle: TensorFlow.js derives gradients itself.
 */
export const tfjsEngine: Engine = {
  name: "tfjs",
  async open(_name, outputs) {
    const inputs = inputsOf(Object.values(outputs));
    return new TfjsProgram(await load(), outputs, inputs);
  },
};

/**
 * The module that runs it: the native binding where it is installed.
 *
 * @throws RangeError when neither is
 */
export const tfjsModule = (
  isInstalled: (name: string) => boolean = (name) => installed(name) !== undefined,
): string => {
  const name = ["@tensorflow/tfjs-node", "@tensorflow/tfjs"].find(isInstalled);
  if (name !== undefined) return name;
  throw new RangeError(
    "TensorFlow.js is not installed: run `npm install @tensorflow/tfjs` (or @tensorflow/tfjs-node), or train with `--engine onnx`",
  );
};

const load = async (): Promise<Tf> => {
  const tf: Tf = await (tfjsModule() === "@tensorflow/tfjs"
    ? import("@tensorflow/tfjs")
    : import(installed("@tensorflow/tfjs-node") as string));
  // Else it advertises its binding on the console.
  tf.enableProdMode();
  await tf.ready();
  return tf;
};

/** Where a module is, undefined if nowhere. Resolved while it runs, so that no bundler looks for it. */
const installed = (name: string): string | undefined => {
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch {
    return undefined;
  }
};

class TfjsProgram implements Program {
  readonly #tf: Tf;
  readonly #outputs: Readonly<Record<string, Expression>>;
  readonly #inputs: readonly Input[];

  constructor(tf: Tf, outputs: Readonly<Record<string, Expression>>, inputs: readonly Input[]) {
    this.#tf = tf;
    this.#outputs = outputs;
    this.#inputs = inputs;
  }

  async run(feeds: Values): Promise<Values> {
    const evaluation = new Evaluation(this.#tf, new Map(this.#inputs.map((input) => [input.name, fed(feeds, input)])));
    try {
      const values: Record<string, Float32Array> = {};
      for (const [name, expression] of Object.entries(this.#outputs)) {
        // A copy: tensors may share the array that they were fed.
        values[name] = Float32Array.from(await evaluation.tensor(expression).data());
      }
      return values;
    } finally {
      evaluation.dispose();
    }
  }

  async close(): Promise<void> {}
}

/** One run: the tensor of each expression, kept until the run ends. */
class Evaluation {
  readonly #tf: Tf;
  readonly #feeds: ReadonlyMap<string, Float32Array>;
  readonly #tensors = new Map<Expression, Tensor>();
  readonly #gradients: { readonly of: readonly Expression[]; readonly tensors: readonly Tensor[] }[] = [];
  readonly #kept: Tensor[] = [];

  constructor(tf: Tf, feeds: ReadonlyMap<string, Float32Array>) {
    this.#tf = tf;
    this.#feeds = feeds;
  }

  tensor(expression: Expression): Tensor {
    const known = this.#tensors.get(expression);
    if (known !== undefined) return known;
    const { operation, inputs } = expression;
    return operation.kind === "gradient"
      ? (this.#gradient(inputs)[operation.index] as Tensor)
      : this.#compute(expression);
  }

  dispose(): void {
    this.#tf.dispose(this.#kept);
  }

  #compute(expression: Expression): Tensor {
    const inputs = expression.inputs.map((each) => this.tensor(each));
    const tensor = this.#keep(this.#tf.tidy(() => computed(this.#tf, expression, inputs, this.#feeds)));
    this.#tensors.set(expression, tensor);
    return tensor;
  }

  #keep(tensor: Tensor): Tensor {
    this.#kept.push(this.#tf.keep(tensor));
    return tensor;
  }

  /** @param of a loss and its variables; all expressions of one call to `gradients` have the same ones */
  #gradient(of: readonly Expression[]): readonly Tensor[] {
    const known = this.#gradients.find((each) => sameItems(each.of, of));
    if (known !== undefined) return known.tensors;
    const [loss, ...variables] = of as [Expression, ...Expression[]];
    const tensors = this.#derived(loss, variables);
    this.#gradients.push({ of, tensors });
    return tensors;
  }

  #derived(loss: Expression, variables: readonly Expression[]): readonly Tensor[] {
    const order = inOrder(loss);
    const reached = variables.filter((each) => dependents(order, new Set([each])).has(loss));
    const flowing = dependents(order, new Set(reached));
    const onTape = order.filter((each) => flowing.has(each) && !reached.includes(each));
    if (onTape.some(({ operation }) => operation.kind === "gradient")) {
      throw new RangeError("Expected a loss without gradients in it, got one of gradients of its own variables");
    }
    // What does not depend on the variables is computed before the tape runs, and stays off it.
    for (const input of onTape.flatMap(({ inputs }) => inputs)) if (!flowing.has(input)) this.tensor(input);
    const values = reached.map((each) => this.tensor(each));
    const forward = (): Tensor => {
      for (const expression of onTape) this.#compute(expression);
      return this.tensor(loss).asScalar();
    };
    const found = reached.length === 0 ? [] : this.#tf.grads(forward)(values);
    return variables.map((each) => this.#keep(found[reached.indexOf(each)] ?? this.#tf.zeros([...each.shape])));
  }
}

const sameItems = (a: readonly Expression[], b: readonly Expression[]): boolean =>
  a.length === b.length && a.every((each, i) => each === b[i]);
