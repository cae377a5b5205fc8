import {
  above,
  add,
  atMost,
  broadcastTo,
  divide,
  Expression,
  matmul,
  multiply,
  negate,
  pad,
  reshape,
  scalar,
  slice,
  square,
  subtract,
  sumKeeping,
} from "./expression.ts";
import { dependents, inOrder } from "./order.ts";

/**
 * The same expressions with every gradient written out: reverse-mode differentiation.
 *
 * Expressions that no gradient stands in stay the same objects.
 */
export const derived = (roots: readonly Expression[]): Expression[] => {
  const rewritten = new Map<Expression, Expression>();
  const derivatives = new Map<Expression, ReadonlyMap<Expression, Expression>>();

  const rewrite = (expression: Expression): Expression => {
    const known = rewritten.get(expression);
    if (known !== undefined) return known;
    const inputs = expression.inputs.map(rewrite);
    const result =
      expression.operation.kind === "gradient"
        ? gradientOf(inputs, expression.operation.index)
        : inputs.every((each, i) => each === expression.inputs[i])
          ? expression
          : new Expression(expression.operation, inputs, expression.shape);
    rewritten.set(expression, result);
    return result;
  };
  const gradientOf = (inputs: readonly Expression[], index: number): Expression => {
    const [loss, ...of] = inputs as [Expression, ...Expression[]];
    const all = derivatives.get(loss) ?? backward(loss, of);
    derivatives.set(loss, all);
    const variable = of[index] as Expression;
    const found = all.get(variable) ?? backward(loss, of).get(variable);
    return found ?? broadcastTo(scalar(0), variable.shape);
  };
  return roots.map(rewrite);
};

/** The gradients of a loss with respect to everything between it and some variables. */
const backward = (loss: Expression, variables: readonly Expression[]): ReadonlyMap<Expression, Expression> => {
  const order = inOrder(loss);
  const needed = dependents(order, new Set(variables));
  const gradient = new Map<Expression, Expression>([[loss, broadcastTo(scalar(1), loss.shape)]]);
  for (const expression of order.reverse()) {
    const own = gradient.get(expression);
    if (own === undefined || !needed.has(expression)) continue;
    for (const [i, part] of inputGradients(expression, own, needed).entries()) {
      const input = expression.inputs[i] as Expression;
      if (part === undefined) continue;
      const before = gradient.get(input);
      gradient.set(input, before === undefined ? part : add(before, part));
    }
  }
  return gradient;
};

/** What an expression's gradient is to each of its inputs; undefined where nobody asks. */
const inputGradients = (
  expression: Expression,
  own: Expression,
  needed: ReadonlySet<Expression>,
): (Expression | undefined)[] => {
  const { operation, inputs } = expression;
  const [first, second] = inputs as [Expression, Expression];
  const forEach = (...parts: (() => Expression)[]): (Expression | undefined)[] =>
    parts.map((part, i) =>
      needed.has(inputs[i] as Expression) ? unbroadcast(part(), (inputs[i] as Expression).shape) : undefined,
    );

  switch (operation.kind) {
    case "add":
      return forEach(
        () => own,
        () => own,
      );
    case "subtract":
      return forEach(
        () => own,
        () => negate(own),
      );
    case "multiply":
      // A square has its factor 2 from its two inputs being one.
      return forEach(
        () => multiply(own, second),
        () => multiply(own, first),
      );
    case "divide":
      return forEach(
        () => divide(own, second),
        () => negate(divide(multiply(own, expression), second)),
      );
    case "minimum":
      // The left one of equals gets it, here and in a maximum: a clip passes gradients at its limits.
      return forEach(
        () => multiply(own, atMost(first, second)),
        () => multiply(own, above(first, second)),
      );
    case "maximum":
      return forEach(
        () => multiply(own, atMost(second, first)),
        () => multiply(own, above(second, first)),
      );
    case "relu":
      // 0 at 0. The result is above 0 where the input was, which need not be kept.
      return forEach(() => multiply(own, above(expression, 0)));
    case "tanh":
      return forEach(() => multiply(own, subtract(1, square(expression))));
    case "squareRoot":
      return forEach(() => divide(multiply(own, 0.5), expression));
    case "matmul":
      return matmulGradients(expression, own, operation, needed);
    case "sum":
      return forEach(() => broadcastTo(own, first.shape));
    case "reshape":
      return forEach(() => reshape(own, first.shape));
    case "broadcast":
      return forEach(() => own);
    case "concat": {
      let start = 0;
      return inputs.map((part) => {
        const from = start;
        start += part.shape[operation.axis] as number;
        return needed.has(part) ? slice(own, operation.axis, from, start) : undefined;
      });
    }
    case "slice": {
      const after = (first.shape[operation.axis] as number) - operation.end;
      return forEach(() => pad(own, operation.axis, operation.start, after));
    }
    case "pad": {
      const end = operation.before + (first.shape[operation.axis] as number);
      return forEach(() => slice(own, operation.axis, operation.before, end));
    }
    case "atMost":
    case "above":
    case "stop":
    case "input":
    case "constant":
      return [];
    case "largest":
    case "gradient":
      throw new RangeError(`Expected a loss that can be derived, got one through \`${operation.kind}\``);
  }
};

const matmulGradients = (
  { inputs }: Expression,
  own: Expression,
  { transposeLeft, transposeRight }: { readonly transposeLeft: boolean; readonly transposeRight: boolean },
  needed: ReadonlySet<Expression>,
): (Expression | undefined)[] => {
  const [left, right] = inputs as [Expression, Expression];
  // Of L·R: dL = own·Rᵀ and dR = Lᵀ·own; a transposed input has the transposed gradient.
  const ofLeft = (): Expression =>
    transposeLeft
      ? matmul(right, own, { transposeLeft: transposeRight, transposeRight: true })
      : matmul(own, right, { transposeRight: !transposeRight });
  const ofRight = (): Expression =>
    transposeRight
      ? matmul(own, left, { transposeLeft: true, transposeRight: transposeLeft })
      : matmul(left, own, { transposeLeft: !transposeLeft });
  return [
    needed.has(left) ? unbroadcast(ofLeft(), left.shape) : undefined,
    needed.has(right) ? unbroadcast(ofRight(), right.shape) : undefined,
  ];
};

/** Sums a gradient over what was repeated. */
const unbroadcast = (gradient: Expression, shape: readonly number[]): Expression => {
  const extra = gradient.rank - shape.length;
  const axes = gradient.shape.flatMap((size, axis) =>
    axis < extra || (shape[axis - extra] === 1 && size !== 1) ? [axis] : [],
  );
  return reshape(sumKeeping(gradient, axes), shape);
};
