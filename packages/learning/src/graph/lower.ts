import { derived } from "./derive.ts";
import type { Expression } from "./expression.ts";
import type { Attribute, Constant, Graph, GraphNode } from "./onnx.ts";
import { inOrder } from "./order.ts";
import { inputsOf } from "./program.ts";

/** ONNX's names of operations that have one. */
const operators = {
  add: "Add",
  subtract: "Sub",
  multiply: "Mul",
  divide: "Div",
  minimum: "Min",
  maximum: "Max",
  relu: "Relu",
  tanh: "Tanh",
  squareRoot: "Sqrt",
  stop: "Identity",
} as const;

/**
 * Writes named expressions as an ONNX graph that computes all of them at once; gradients are derived.
 *
 * @throws RangeError when two inputs of a name have different shapes
 */
export const lower = (name: string, outputs: Readonly<Record<string, Expression>>): Graph => {
  const builder = new GraphBuilder();
  const roots = derived(Object.values(outputs));
  for (const expression of inOrder(...roots)) builder.write(expression);
  const named = Object.keys(outputs).map((output, i) => ({ output, root: roots[i] as Expression }));
  return {
    name,
    // Also what only a gradient that is 0 would have been computed from.
    inputs: inputsOf(Object.values(outputs)).map((input) => ({ ...input, type: "float32" })),
    outputs: named.map(({ output, root }) => ({ name: output, type: "float32", shape: root.shape })),
    constants: builder.constants,
    nodes: builder.nodesFor(named.map(({ output, root }) => [output, builder.nameOf(root)])),
  };
};

class GraphBuilder {
  readonly constants: Constant[] = [];
  readonly #nodes: GraphNode[] = [];
  readonly #names = new Map<Expression, string>();
  /** Results by what computes them: the same computation is written once. */
  readonly #written = new Map<string, string>();

  nameOf(expression: Expression): string {
    return this.#names.get(expression) as string;
  }

  /** Writes an expression whose inputs have been written. */
  write(expression: Expression): void {
    this.#names.set(expression, this.#write(expression));
  }

  /**
   * The nodes, with outputs under their names: the results themselves, but copies of what is an input, a constant or
   * another output already.
   *
   * @param outputs name and what it stands for
   */
  nodesFor(outputs: readonly (readonly [output: string, result: string])[]): GraphNode[] {
    const computed = new Set(this.#nodes.flatMap((node) => node.outputs));
    const renamed = new Map<string, string>();
    const copies: GraphNode[] = [];
    for (const [output, result] of outputs) {
      if (computed.has(result) && !renamed.has(result)) renamed.set(result, output);
      else copies.push({ operator: "Identity", inputs: [result], outputs: [output] });
    }
    const rename = (names: readonly string[]): string[] => names.map((name) => renamed.get(name) ?? name);
    return [...this.#nodes, ...copies].map((node) => ({
      ...node,
      inputs: rename(node.inputs),
      outputs: rename(node.outputs),
    }));
  }

  /** Writes a node, unless the same one is there. Returns the name of its result. */
  #emit(operator: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    const key = JSON.stringify([operator, inputs, attributes]);
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    const name = `v${this.#nodes.length}`;
    this.#nodes.push({ operator, inputs, outputs: [name], attributes });
    this.#written.set(key, name);
    return name;
  }

  #write(expression: Expression): string {
    const { operation, shape } = expression;
    const inputs = expression.inputs.map((each) => this.nameOf(each));
    const [first = ""] = inputs;
    switch (operation.kind) {
      case "input":
        return operation.name;
      case "constant":
        return this.#constant("float32", shape, operation.data);
      case "atMost":
      case "above": {
        const holds = this.#emit(operation.kind === "above" ? "Greater" : "LessOrEqual", inputs);
        return this.#emit("Cast", [holds], { to: { int: 1 } });
      }
      case "matmul":
        return this.#matmul(expression, inputs, operation);
      case "sum":
        return this.#sum(expression, first, operation.axes);
      case "largest":
        // Its axes became an input with operator set 18 only.
        return this.#emit("ReduceMax", [first], { axes: { ints: [operation.axis] }, keepdims: { int: 0 } });
      case "reshape":
        return this.#emit("Reshape", [first, this.#integers(shape)]);
      case "broadcast":
        return this.#emit("Expand", [first, this.#integers(shape)]);
      case "concat":
        return this.#emit("Concat", inputs, { axis: { int: operation.axis } });
      case "slice": {
        const ends = [[operation.start], [operation.end], [operation.axis]].map((each) => this.#integers(each));
        return this.#emit("Slice", [first, ...ends]);
      }
      case "pad": {
        const pads = shape.flatMap(() => [0, 0]);
        pads[operation.axis] = operation.before;
        pads[operation.axis + shape.length] = operation.after;
        return this.#emit("Pad", [first, this.#integers(pads)]);
      }
      case "gradient":
        throw new RangeError("Expected gradients to have been derived");
      default:
        return this.#emit(operators[operation.kind], inputs);
    }
  }

  #sum({ inputs: [x] }: Expression, name: string, axes: readonly number[]): string {
    const { shape = [] } = x ?? {};
    const [rows = 1] = shape;
    // Over rows, as bias gradients are: a product with ones takes a seventh of the runtime's time for the sum.
    if (shape.length === 2 && String(axes) === "0") {
      return this.#emit("MatMul", [this.#constant("float32", [1, rows], new Float32Array(rows).fill(1)), name]);
    }
    return this.#emit("ReduceSum", [name, this.#integers(axes)], { keepdims: { int: 1 } });
  }

  #matmul(
    { inputs: [left, right] }: Expression,
    names: readonly string[],
    { transposeLeft, transposeRight }: { readonly transposeLeft: boolean; readonly transposeRight: boolean },
  ): string {
    // Gemm transposes as it reads; of batches of matrices the runtime fuses the transposition.
    if (left?.rank === 2 && right?.rank === 2 && (transposeLeft || transposeRight)) {
      return this.#emit("Gemm", names, {
        transA: { int: transposeLeft ? 1 : 0 },
        transB: { int: transposeRight ? 1 : 0 },
      });
    }
    const [a, b] = names as [string, string];
    return this.#emit("MatMul", [
      transposeLeft ? this.#transposed(a, (left as Expression).rank) : a,
      transposeRight ? this.#transposed(b, (right as Expression).rank) : b,
    ]);
  }

  #transposed(name: string, rank: number): string {
    const order = Array.from({ length: rank }, (_, axis) => axis);
    order.splice(rank - 2, 2, rank - 1, rank - 2);
    return this.#emit("Transpose", [name], { perm: { ints: order } });
  }

  #integers(values: readonly number[]): string {
    return this.#constant("int64", [values.length], BigInt64Array.from(values, BigInt));
  }

  #constant(type: "float32" | "int64", shape: readonly number[], data: Float32Array | BigInt64Array): string {
    const key = `${type} [${shape}] ${new Uint8Array(data.buffer, data.byteOffset, data.byteLength).join()}`;
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    const name = `c${this.constants.length}`;
    this.constants.push({ name, type, shape, data });
    this.#written.set(key, name);
    return name;
  }
}
