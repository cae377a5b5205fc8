/** What an expression does with its inputs; `input` and `constant` have none. */
export type Operation =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "constant"; readonly data: Float32Array }
  | { readonly kind: Elementwise }
  | { readonly kind: Unary }
  | { readonly kind: "matmul"; readonly transposeLeft: boolean; readonly transposeRight: boolean }
  | { readonly kind: "sum"; readonly axes: readonly number[] }
  | { readonly kind: "largest"; readonly axis: number }
  | { readonly kind: "reshape" }
  | { readonly kind: "broadcast" }
  | { readonly kind: "concat"; readonly axis: number }
  | { readonly kind: "slice"; readonly axis: number; readonly start: number; readonly end: number }
  | { readonly kind: "pad"; readonly axis: number; readonly before: number; readonly after: number }
  | { readonly kind: "gradient"; readonly index: number };

/** Of two tensors that broadcast as NumPy's do. `atMost` is 1 where left ≤ right, else 0, and `above` the opposite. */
export type Elementwise = "add" | "subtract" | "multiply" | "divide" | "minimum" | "maximum" | "atMost" | "above";
/** `stop` is its input, whose gradient is 0. */
export type Unary = "relu" | "tanh" | "squareRoot" | "stop";

/**
 * A float32 tensor that is computed from others: a node of a graph without cycles. Shapes are known when it is built.
 *
 * Nothing is computed here: an engine runs what an expression says.
 */
export class Expression {
  readonly operation: Operation;
  readonly inputs: readonly Expression[];
  /** Row-major; empty for a scalar. */
  readonly shape: readonly number[];

  constructor(operation: Operation, inputs: readonly Expression[], shape: readonly number[]) {
    this.operation = operation;
    this.inputs = inputs;
    this.shape = shape;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  get rank(): number {
    return this.shape.length;
  }
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** A tensor that is given whenever the graph runs. */
export const input = (name: string, shape: readonly number[]): Expression =>
  new Expression({ kind: "input", name }, [], shape);

/** @throws RangeError when there are not as many values as the shape says */
export const constant = (values: ArrayLike<number>, shape: readonly number[]): Expression => {
  const data = Float32Array.from(values);
  if (data.length !== sizeOf(shape)) {
    throw new RangeError(`Expected ${sizeOf(shape)} values for a constant of shape [${shape}], got ${data.length}`);
  }
  return new Expression({ kind: "constant", data }, [], shape);
};

export const scalar = (value: number): Expression => constant([value], []);

type Operand = Expression | number;
const asExpression = (operand: Operand): Expression => (typeof operand === "number" ? scalar(operand) : operand);

const elementwise =
  (kind: Elementwise) =>
  (left: Operand, right: Operand): Expression => {
    const inputs = [asExpression(left), asExpression(right)] as const;
    return new Expression({ kind }, inputs, broadcastShape(inputs[0].shape, inputs[1].shape, kind));
  };

export const add = elementwise("add");
export const subtract = elementwise("subtract");
export const multiply = elementwise("multiply");
export const divide = elementwise("divide");
export const minimum = elementwise("minimum");
export const maximum = elementwise("maximum");
export const atMost = elementwise("atMost");
export const above = elementwise("above");

const unary =
  (kind: Unary) =>
  (x: Expression): Expression =>
    new Expression({ kind }, [x], x.shape);

export const relu = unary("relu");
export const tanh = unary("tanh");
export const squareRoot = unary("squareRoot");
/** The same values, taken as given: no gradient flows through. */
export const stopGradient = unary("stop");

export const negate = (x: Expression): Expression => multiply(x, -1);
export const square = (x: Expression): Expression => multiply(x, x);
export const clip = (x: Expression, low: Operand, high: Operand): Expression => minimum(maximum(x, low), high);

/** NumPy's rule: from the right, sizes are equal or one of them is 1. */
export const broadcastShape = (left: readonly number[], right: readonly number[], what: string): number[] => {
  const rank = Math.max(left.length, right.length);
  return Array.from({ length: rank }, (_, i) => {
    const a = left[i - rank + left.length] ?? 1;
    const b = right[i - rank + right.length] ?? 1;
    if (a !== b && a !== 1 && b !== 1)
      throw new RangeError(`Expected shapes that broadcast in ${what}, got [${left}] and [${right}]`);
    return a === 1 ? b : a;
  });
};

/**
 * Matrix product of the last two axes; the axes before broadcast.
 *
 * @param left [..., rows, inner], or [..., inner, rows] when transposed
 * @param right [..., inner, columns], or [..., columns, inner] when transposed
 */
export const matmul = (
  left: Expression,
  right: Expression,
  { transposeLeft = false, transposeRight = false } = {},
): Expression => {
  if (left.rank < 2 || right.rank < 2)
    throw new RangeError(`Expected matrices in matmul, got [${left.shape}] and [${right.shape}]`);
  const [rows, inner] = lastTwo(left.shape, transposeLeft);
  const [innerRight, columns] = lastTwo(right.shape, transposeRight);
  if (inner !== innerRight)
    throw new RangeError(`Expected matrices that fit in matmul, got [${left.shape}] and [${right.shape}]`);
  const batch = broadcastShape(left.shape.slice(0, -2), right.shape.slice(0, -2), "matmul");
  return new Expression({ kind: "matmul", transposeLeft, transposeRight }, [left, right], [...batch, rows, columns]);
};

const lastTwo = (shape: readonly number[], transposed: boolean): [number, number] => {
  const [first, second] = shape.slice(-2) as [number, number];
  return transposed ? [second, first] : [first, second];
};

const everyAxis = (x: Expression): number[] => x.shape.map((_, axis) => axis);

/** Sums over axes, which stay with size 1. */
export const sumKeeping = (x: Expression, axes: readonly number[] = everyAxis(x)): Expression => {
  checkAxes(x, axes);
  if (axes.length === 0) return x;
  return new Expression(
    { kind: "sum", axes },
    [x],
    x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)),
  );
};

/** Sums over axes, which vanish; over all without any. */
export const sum = (x: Expression, axes: readonly number[] = everyAxis(x)): Expression =>
  reshape(
    sumKeeping(x, axes),
    x.shape.filter((_, axis) => !axes.includes(axis)),
  );

/** Means over axes, which vanish; over all without any. */
export const mean = (x: Expression, axes: readonly number[] = everyAxis(x)): Expression =>
  multiply(sum(x, axes), 1 / sizeOf(axes.map((axis) => x.shape[axis] as number)));

/** The largest element along an axis, which vanishes. It has no gradient: use it in targets. */
export const largest = (x: Expression, axis: number): Expression => {
  checkAxes(x, [axis]);
  return new Expression(
    { kind: "largest", axis },
    [x],
    x.shape.filter((_, i) => i !== axis),
  );
};

/** The same elements in another shape. */
export const reshape = (x: Expression, shape: readonly number[]): Expression => {
  if (sizeOf(shape) !== x.size)
    throw new RangeError(`Expected a shape of ${x.size} elements for [${x.shape}], got [${shape}]`);
  return sameShape(x.shape, shape) ? x : new Expression({ kind: "reshape" }, [x], shape);
};

/** Repeats along axes of size 1, and along new ones in front. */
export const broadcastTo = (x: Expression, shape: readonly number[]): Expression => {
  if (!sameShape(broadcastShape(x.shape, shape, "broadcastTo"), shape)) {
    throw new RangeError(`Expected [${x.shape}] to broadcast to [${shape}]`);
  }
  return sameShape(x.shape, shape) ? x : new Expression({ kind: "broadcast" }, [x], shape);
};

/** Puts tensors one after the other along an axis. */
export const concat = (parts: readonly Expression[], axis: number): Expression => {
  const [first] = parts;
  if (first === undefined) throw new RangeError("Expected at least one tensor to concatenate, got none");
  checkAxes(first, [axis]);
  for (const { shape } of parts) {
    if (shape.length !== first.rank || shape.some((size, i) => i !== axis && size !== first.shape[i])) {
      throw new RangeError(`Expected tensors like [${first.shape}] but for axis ${axis}, got [${shape}]`);
    }
  }
  if (parts.length === 1) return first;
  const length = parts.reduce((total, { shape }) => total + (shape[axis] as number), 0);
  return new Expression(
    { kind: "concat", axis },
    parts,
    first.shape.map((size, i) => (i === axis ? length : size)),
  );
};

/** The elements from `start` to before `end` of an axis. */
export const slice = (x: Expression, axis: number, start: number, end: number): Expression => {
  checkAxes(x, [axis]);
  const length = x.shape[axis] as number;
  if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start < end && end <= length)) {
    throw new RangeError(`Expected a part of axis ${axis} of [${x.shape}], got ${start} to ${end}`);
  }
  if (end - start === length) return x;
  return new Expression(
    { kind: "slice", axis, start, end },
    [x],
    x.shape.map((size, i) => (i === axis ? end - start : size)),
  );
};

/** Zeros before and after along an axis. */
export const pad = (x: Expression, axis: number, before: number, after: number): Expression => {
  checkAxes(x, [axis]);
  if (![before, after].every((zeros) => Number.isInteger(zeros) && zeros >= 0)) {
    throw new RangeError(`Expected whole numbers of zeros, got ${before} and ${after}`);
  }
  if (before === 0 && after === 0) return x;
  return new Expression(
    { kind: "pad", axis, before, after },
    [x],
    x.shape.map((size, i) => (i === axis ? size + before + after : size)),
  );
};

/**
 * The gradients of a scalar, one for each of some expressions.
 *
 * They stand for themselves until an engine derives them, each in its own way.
 *
 * @param loss of size 1
 * @param of what the loss is computed from, none of them from another
 */
export const gradients = (loss: Expression, of: readonly Expression[]): Expression[] => {
  if (loss.size !== 1) throw new RangeError(`Expected a loss of one number, got one of shape [${loss.shape}]`);
  return of.map((each, index) => new Expression({ kind: "gradient", index }, [loss, ...of], each.shape));
};

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

const checkAxes = (x: Expression, axes: readonly number[]): void => {
  for (const axis of axes) {
    if (!(Number.isInteger(axis) && 0 <= axis && axis < x.rank)) {
      throw new RangeError(`Expected an axis of [${x.shape}], got ${axis}`);
    }
  }
};
