import { derived, inOrder } from "./derive.ts";
import type { Expression } from "./expression.ts";
import type { Attribute, Constant, Graph, GraphNode } from "./onnx.ts";

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
  const names = Object.keys(outputs);
  const roots = derived(Object.values(outputs));
  for (const expression of inOrder(...roots)) builder.write(expression);
  // An output has its own name, and may be an input or stand behind two of them.
  roots.forEach((root, i) => {
    builder.emit("Identity", [builder.nameOf(root)], names[i] as string);
  });
  return {
    name,
    inputs: builder.inputs,
    outputs: roots.map(({ shape }, i) => ({ name: names[i] as string, type: "float32", shape })),
    constants: builder.constants,
    nodes: builder.nodes,
  };
};

class GraphBuilder {
  readonly inputs: { name: string; type: "float32"; shape: readonly number[] }[] = [];
  readonly constants: Constant[] = [];
  readonly nodes: GraphNode[] = [];
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

  /** Writes a node, unless the same one is there. Returns the name of its result. */
  emit(
    operator: string,
    inputs: readonly string[],
    output?: string,
    attributes?: Readonly<Record<string, Attribute>>,
  ): string {
    const key = JSON.stringify([operator, inputs, attributes]);
    const known = this.#written.get(key);
    if (output === undefined && known !== undefined) return known;
    const name = output ?? `v${this.nodes.length}`;
    this.nodes.push({ operator, inputs, outputs: [name], ...(attributes === undefined ? {} : { attributes }) });
    if (output === undefined) this.#written.set(key, name);
    return name;
  }

  #write(expression: Expression): string {
    const { operation, shape } = expression;
    const inputs = expression.inputs.map((each) => this.nameOf(each));
    const [first = ""] = inputs;
    switch (operation.kind) {
      case "input": {
        const known = this.inputs.find(({ name }) => name === operation.name);
        if (known === undefined) this.inputs.push({ name: operation.name, type: "float32", shape });
        else if (String(known.shape) !== String(shape)) {
          throw new RangeError(
            `Expected one shape for input \`${operation.name}\`, got [${known.shape}] and [${shape}]`,
          );
        }
        return operation.name;
      }
      case "constant":
        return this.#constant("float32", shape, operation.data);
      case "atMost":
      case "above": {
        const holds = this.emit(operation.kind === "above" ? "Greater" : "LessOrEqual", inputs);
        return this.emit("Cast", [holds], undefined, { to: { int: 1 } });
      }
      case "matmul":
        return this.#matmul(expression, inputs, operation);
      case "sum":
        return this.emit("ReduceSum", [first, this.#integers(operation.axes)], undefined, { keepdims: { int: 1 } });
      case "largest":
        return this.emit("ReduceMax", [first, this.#integers([operation.axis])], undefined, { keepdims: { int: 0 } });
      case "reshape":
        return this.emit("Reshape", [first, this.#integers(shape)]);
      case "broadcast":
        return this.emit("Expand", [first, this.#integers(shape)]);
      case "concat":
        return this.emit("Concat", inputs, undefined, { axis: { int: operation.axis } });
      case "slice": {
        const ends = [[operation.start], [operation.end], [operation.axis]].map((each) => this.#integers(each));
        return this.emit("Slice", [first, ...ends]);
      }
      case "pad": {
        const pads = shape.flatMap(() => [0, 0]);
        pads[operation.axis] = operation.before;
        pads[operation.axis + shape.length] = operation.after;
        return this.emit("Pad", [first, this.#integers(pads)]);
      }
      case "gradient":
        throw new RangeError("Expected gradients to have been derived");
      default:
        return this.emit(operators[operation.kind], inputs);
    }
  }

  #matmul(
    { inputs: [left, right] }: Expression,
    names: readonly string[],
    { transposeLeft, transposeRight }: { readonly transposeLeft: boolean; readonly transposeRight: boolean },
  ): string {
    // Gemm transposes as it reads; of batches of matrices the runtime fuses the transposition.
    if (left?.rank === 2 && right?.rank === 2 && (transposeLeft || transposeRight)) {
      return this.emit("Gemm", names, undefined, {
        transA: { int: transposeLeft ? 1 : 0 },
        transB: { int: transposeRight ? 1 : 0 },
      });
    }
    const [a, b] = names as [string, string];
    return this.emit("MatMul", [
      transposeLeft ? this.#transposed(a, (left as Expression).rank) : a,
      transposeRight ? this.#transposed(b, (right as Expression).rank) : b,
    ]);
  }

  #transposed(name: string, rank: number): string {
    const order = Array.from({ length: rank }, (_, axis) => axis);
    order.splice(rank - 2, 2, rank - 1, rank - 2);
    return this.emit("Transpose", [name], undefined, { perm: { ints: order } });
  }

  #integers(values: readonly number[]): string {
    return this.#constant("int64", [values.length], BigInt64Array.from(values, BigInt));
  }

  #constant(type: "float32" | "int64", shape: readonly number[], data: Float32Array | BigInt64Array): string {
    const key = `${type} [${shape}] ${data.length > 64 ? `#${this.constants.length}` : data.join()}`;
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    const name = `c${this.constants.length}`;
    this.constants.push({ name, type, shape, data });
    this.#written.set(key, name);
    return name;
  }
}
