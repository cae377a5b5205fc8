import { type Elementwise, type Expression, sizeOf, type Unary } from "./expression.ts";
import { type Engine, fed, inputsOf, type Values } from "./program.ts";

/**
 * Expressions in plain JavaScript and doubles: slow, and to be read. Gradients are central differences.
 */
export const plainEngine: Engine = {
  name: "plain",
  async open(_name, outputs) {
    const inputs = inputsOf(Object.values(outputs));
    return {
      async run(feeds: Values): Promise<Values> {
        const given = new Map(inputs.map((input) => [input.name, [...fed(feeds, input)]]));
        const evaluation = new Evaluation(given);
        return Object.fromEntries(
          Object.entries(outputs).map(([name, expression]) => [name, Float32Array.from(evaluation.value(expression))]),
        );
      },
      async close() {},
    };
  },
};

type Index = readonly number[];

/** Every index of a shape, the last axis fastest. */
const indices = (shape: readonly number[]): Index[] =>
  shape.reduce<Index[]>(
    (found, size) => found.flatMap((index) => [...Array(size).keys()].map((i) => [...index, i])),
    [[]],
  );

/** Where an index lies in a tensor; axes that it lacks in front, and those of size 1, are repeated. */
const offset = (index: Index, shape: readonly number[]): number =>
  shape.reduce((sum, size, axis) => {
    const i = index[axis + index.length - shape.length] as number;
    return sum * size + (size === 1 ? 0 : i);
  }, 0);

const elementwise: Record<Elementwise, (left: number, right: number) => number> = {
  add: (left, right) => left + right,
  subtract: (left, right) => left - right,
  multiply: (left, right) => left * right,
  divide: (left, right) => left / right,
  minimum: Math.min,
  maximum: Math.max,
  atMost: (left, right) => (left <= right ? 1 : 0),
  above: (left, right) => (left > right ? 1 : 0),
};

const unary: Record<Exclude<Unary, "stop">, (x: number) => number> = {
  relu: (x) => Math.max(x, 0),
  tanh: Math.tanh,
  squareRoot: Math.sqrt,
};

interface Disturbance {
  readonly of: Evaluation;
  /** What may have another value. */
  readonly reach: (expression: Expression) => boolean;
}

class Evaluation {
  readonly #feeds: ReadonlyMap<string, readonly number[]>;
  readonly #values = new Map<Expression, readonly number[]>();
  /** Undefined but where one variable has another value. */
  readonly #disturbance: Disturbance | undefined;

  constructor(feeds: ReadonlyMap<string, readonly number[]>, disturbance?: Disturbance) {
    this.#feeds = feeds;
    this.#disturbance = disturbance;
  }

  value(expression: Expression): readonly number[] {
    const known = this.#values.get(expression);
    if (known !== undefined) return known;
    const elsewhere = this.#disturbance !== undefined && !this.#disturbance.reach(expression);
    const value = elsewhere ? (this.#disturbance?.of.value(expression) ?? []) : this.#computed(expression);
    this.#values.set(expression, value);
    return value;
  }

  #computed(expression: Expression): readonly number[] {
    const { operation, inputs, shape } = expression;
    const [left, right] = inputs as [Expression, Expression];
    const at = (x: Expression, index: Index): number => this.value(x)[offset(index, x.shape)] as number;
    const fill = (element: (index: Index) => number): number[] => indices(shape).map(element);
    switch (operation.kind) {
      case "input":
        return this.#feeds.get(operation.name) as readonly number[];
      case "constant":
        return [...operation.data];
      case "stop":
        return (this.#disturbance?.of ?? this).value(left);
      case "relu":
      case "tanh":
      case "squareRoot":
        return this.value(left).map(unary[operation.kind]);
      case "matmul": {
        const { transposeLeft, transposeRight } = operation;
        const inner = left.shape.at(transposeLeft ? -2 : -1) as number;
        return fill((index) => {
          const [row, column] = index.slice(-2) as [number, number];
          const of = (i: number, j: number): Index => [...index.slice(0, -2), i, j];
          return [...Array(inner).keys()].reduce((sum, k) => {
            const a = at(left, transposeLeft ? of(k, row) : of(row, k));
            const b = at(right, transposeRight ? of(column, k) : of(k, column));
            return sum + a * b;
          }, 0);
        });
      }
      case "sum": {
        const sums: number[] = Array(sizeOf(shape)).fill(0);
        for (const index of indices(left.shape)) {
          const where = offset(index, shape);
          sums[where] = (sums[where] as number) + at(left, index);
        }
        return sums;
      }
      case "largest":
        return fill((index) =>
          Math.max(
            ...[...Array(left.shape[operation.axis]).keys()].map((i) =>
              at(left, index.toSpliced(operation.axis, 0, i)),
            ),
          ),
        );
      case "reshape":
        return this.value(left);
      case "broadcast":
        return fill((index) => at(left, index));
      case "concat":
        return fill((index) => {
          let i = index[operation.axis] as number;
          let part = 0;
          while (i >= (inputs[part]?.shape[operation.axis] as number)) {
            i -= inputs[part]?.shape[operation.axis] as number;
            part += 1;
          }
          return at(inputs[part] as Expression, index.with(operation.axis, i));
        });
      case "slice":
        return fill((index) =>
          at(left, index.with(operation.axis, (index[operation.axis] as number) + operation.start)),
        );
      case "pad":
        return fill((index) => {
          const i = (index[operation.axis] as number) - operation.before;
          const inside = 0 <= i && i < (left.shape[operation.axis] as number);
          return inside ? at(left, index.with(operation.axis, i)) : 0;
        });
      case "gradient":
        return this.#difference(left, inputs[operation.index + 1] as Expression);
      default: {
        const apply = elementwise[operation.kind];
        return fill((index) => apply(at(left, index), at(right, index)));
      }
    }
  }

  /** How a loss changes with each element of a variable. */
  #difference(loss: Expression, variable: Expression): readonly number[] {
    const value = this.value(variable);
    const step = 1e-5;
    const reach = reachOf(variable);
    const disturbed = (i: number, by: number): number => {
      const other = new Evaluation(this.#feeds, { of: this, reach });
      other.#values.set(variable, value.with(i, (value[i] as number) + by));
      return other.value(loss)[0] as number;
    };
    return value.map((_, i) => (disturbed(i, step) - disturbed(i, -step)) / (2 * step));
  }
}

/** Whether an expression is computed from a variable, or is it. */
const reachOf = (variable: Expression): ((expression: Expression) => boolean) => {
  const known = new Map<Expression, boolean>();
  const reach = (expression: Expression): boolean => {
    const found = known.get(expression) ?? (expression === variable || expression.inputs.some(reach));
    known.set(expression, found);
    return found;
  };
  return reach;
};
