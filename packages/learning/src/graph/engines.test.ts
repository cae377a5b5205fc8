import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  above,
  add,
  atMost,
  broadcastTo,
  clip,
  concat,
  constant,
  divide,
  type Expression,
  gradients,
  input,
  largest,
  matmul,
  maximum,
  mean,
  minimum,
  multiply,
  negate,
  pad,
  relu,
  reshape,
  scalar,
  slice,
  square,
  squareRoot,
  stopGradient,
  subtract,
  sum,
  sumKeeping,
  tanh,
} from "./expression.ts";
import { onnxEngine } from "./onnx-engine.ts";
import { plainEngine } from "./plain.test-helper.ts";
import type { Engine, Values } from "./program.ts";
import { tfjsEngine } from "./tfjs-engine.ts";
import { expectClose, spread } from "./values.test-helper.ts";

// Every operation, and its gradient in an uneven loss: both engines against plain JavaScript, whose gradients are
// central differences in doubles. Values are spread without order, so that none is near a tie.

const engines = [onnxEngine, tfjsEngine];

const computedBy = async (engine: Engine, outputs: Record<string, Expression>, feeds: Values): Promise<Values> => {
  const program = await engine.open("test", outputs);
  const values = await program.run(feeds);
  await program.close();
  return values;
};

/** A loss in which every element weighs something else, and the gradients of what it is computed from. */
const withGradients = (y: Expression, variables: readonly Expression[]): Record<string, Expression> => {
  const weights = constant(spread(y.size, 0.3, 1.7), y.shape);
  const found = gradients(sum(multiply(y, weights)), variables);
  return { y, ...Object.fromEntries(found.map((each, i) => [`gradient${i}`, each])) };
};

const agrees = async (engine: Engine, y: Expression, variables: readonly Expression[], feeds: Values) => {
  const outputs = withGradients(y, variables);
  const [expected, got] = await Promise.all([plainEngine, engine].map((each) => computedBy(each, outputs, feeds)));
  expectClose(got as Values, expected as Values, { relative: 1e-4, absolute: 2e-5 });
};

interface Case {
  readonly shapes: readonly (readonly number[])[];
  readonly build: (...x: [Expression, Expression, Expression]) => Expression;
  /** Of the values that it is tried with. */
  readonly range?: readonly [number, number];
}

const one = (shape: readonly number[], build: Case["build"], range?: Case["range"]): Case => ({
  shapes: [shape],
  build,
  ...(range === undefined ? {} : { range }),
});
const both = (left: readonly number[], right: readonly number[], build: Case["build"]): Case => ({
  shapes: [left, right],
  build,
});

const twoSided = { add, subtract, multiply, divide, minimum, maximum };
const broadcasts = [
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], []],
  [[], [2, 3]],
  [[2, 3], [3]],
  [
    [2, 1, 3],
    [4, 1],
  ],
  [[1], [2, 3]],
  [
    [2, 1, 4],
    [1, 3, 1],
  ],
] as const;
const transpositions = [false, true].flatMap((transposeLeft) =>
  [false, true].map((transposeRight) => ({ transposeLeft, transposeRight })),
);
/** The axes in front of both matrices. */
const batches = [
  [[], []],
  [[2], [2]],
  [[], [2]],
  [[2], []],
  [[1], [3]],
  [[2, 1], [3]],
  [
    [2, 3],
    [1, 3],
  ],
] as const;

const cases: Record<string, Case> = {
  ...Object.fromEntries(
    Object.entries(twoSided).flatMap(([name, operation]) =>
      broadcasts.map(([left, right]) => [`${name} [${left}] [${right}]`, both(left, right, operation)]),
    ),
  ),
  ...Object.fromEntries(
    transpositions.flatMap(({ transposeLeft, transposeRight }) =>
      batches.map(([left, right]) => {
        const turn = (matrix: readonly number[], transposed: boolean) => (transposed ? matrix.toReversed() : matrix);
        const shapes = [
          [...left, ...turn([3, 4], transposeLeft)],
          [...right, ...turn([4, 2], transposeRight)],
        ] as const;
        const named = ["matmul", ...shapes.map((shape) => `[${shape}]`), transposeLeft, transposeRight].join(" ");
        return [named, both(...shapes, (a, b) => matmul(a, b, { transposeLeft, transposeRight }))];
      }),
    ),
  ),
  "matmul with itself": one([3, 3], (x) => matmul(x, x, { transposeRight: true })),
  relu: one([3, 5], relu),
  tanh: one([3, 5], tanh),
  squareRoot: one([3, 5], squareRoot, [0.2, 3]),
  stop: both([4], [4], (a, b) => multiply(stopGradient(multiply(a, b)), a)),
  atMost: both([2, 5], [5], (a, b) => multiply(atMost(a, b), a)),
  above: both([2, 5], [5], (a, b) => multiply(above(a, b), a)),
  negate: one([4], negate),
  square: one([4], square),
  "clip of some": one([4, 5], (x) => clip(x, -0.5, 0.75)),
  "sum of all": one([2, 3, 4], (x) => sum(x)),
  "sum over rows": one([5, 4], (x) => sum(x, [0])),
  "sum over columns": one([5, 4], (x) => sum(x, [1])),
  "sum over two axes": one([2, 3, 4], (x) => sumKeeping(x, [0, 2])),
  "sum over the middle": one([2, 3, 4], (x) => sum(x, [1])),
  "mean of all": one([2, 3], (x) => mean(x)),
  "mean over rows of four axes": one([2, 3, 4, 2], (x) => mean(x, [2])),
  "largest without a gradient": both([2, 3, 4], [2, 4], (a, b) => multiply(stopGradient(largest(a, 1)), b)),
  reshape: one([2, 6], (x) => reshape(x, [3, 4])),
  "reshape to a scalar": one([1, 1], (x) => reshape(x, [])),
  broadcastTo: one([2, 1, 3], (x) => broadcastTo(x, [4, 2, 5, 3])),
  "broadcastTo of a scalar": one([], (x) => broadcastTo(x, [2, 3])),
  "concat in front": both([1, 3], [2, 3], (a, b) => concat([a, b, a], 0)),
  "concat behind": both([2, 1, 3], [2, 1, 2], (a, b) => concat([a, b], 2)),
  "slice of rows": one([5, 3], (x) => slice(x, 0, 1, 4)),
  "slice of columns": one([2, 5], (x) => slice(x, 1, 3, 5)),
  "slices that overlap": one([6], (x) => multiply(slice(x, 0, 0, 4), slice(x, 0, 2, 6))),
  pad: one([2, 3], (x) => pad(x, 1, 2, 1)),
  "pad in front": one([2, 3], (x) => pad(x, 0, 1, 0)),
  "one expression, used often": both([3], [3], (a, b) => {
    const c = tanh(add(a, b));
    return add(multiply(c, c), multiply(divide(c, 2), add(c, multiply(a, c))));
  }),
};

describe.each(engines)("$name", (engine) => {
  test.each(Object.entries(cases))("%s", async (_, { shapes, build, range = [-2, 2] }) => {
    const variables = shapes.map((shape, i) => input(`x${i}`, shape));
    const feeds = Object.fromEntries(
      variables.map(({ size }, i) => [`x${i}`, Float32Array.from(spread(size, ...range, i))]),
    );
    await agrees(engine, build(...(variables as [Expression, Expression, Expression])), variables, feeds);
  });

  test("what is put together from other operations, by hand", async () => {
    const x = input("x", [2, 3]);
    const outputs = {
      mean: mean(x),
      rowMeans: mean(x, [1]),
      columnMeans: mean(x, [0]),
      columnSums: sum(x, [0]),
      negative: negate(x),
      squares: square(x),
      clipped: clip(x, -1, 2.5),
    };
    const values = await computedBy(engine, outputs, { x: Float32Array.of(1, 2, 3, -4, 5, -6) });
    const expected = {
      mean: [1 / 6],
      rowMeans: [2, -5 / 3],
      columnMeans: [-1.5, 3.5, -1.5],
      columnSums: [-3, 7, -3],
      negative: [-1, -2, -3, 4, -5, 6],
      squares: [1, 4, 9, 16, 25, 36],
      clipped: [1, 2, 2.5, -1, 2.5, -1],
    };
    const arrays = Object.entries(expected).map(([name, numbers]) => [name, Float32Array.from(numbers)]);
    expectClose(values, Object.fromEntries(arrays), { relative: 1e-6, absolute: 0 });
  });

  test("the gradient of what a loss does not depend on is 0", async () => {
    const [x, unused, stopped] = [input("x", [2]), input("unused", [3]), input("stopped", [2])];
    const loss = sum(multiply(x, stopGradient(stopped)));
    const [a, b, c] = gradients(loss, [x, unused, stopped]) as [Expression, Expression, Expression];
    const feeds = { x: Float32Array.of(1, 2), unused: new Float32Array(3), stopped: Float32Array.of(5, 7) };
    const values = await computedBy(engine, { a, b, c }, feeds);
    expect(values).toEqual({ a: Float32Array.of(5, 7), b: new Float32Array(3), c: new Float32Array(2) });
  });

  test("gradients of one loss may be asked for apart", async () => {
    const [x, y] = [input("x", [2]), input("y", [2])];
    const loss = sum(multiply(square(x), y));
    const [ofX] = gradients(loss, [x]) as [Expression];
    const [ofY, again] = gradients(loss, [y, x]) as [Expression, Expression];
    const feeds = { x: Float32Array.of(3, -1), y: Float32Array.of(0.5, 2) };
    const values = await computedBy(engine, { ofX, ofY, again }, feeds);
    expect(values).toEqual({ ofX: Float32Array.of(3, -4), ofY: Float32Array.of(9, 1), again: Float32Array.of(3, -4) });
  });

  test("of equal ones, a minimum and a maximum give the left the gradient; relu has none at 0", async () => {
    const [a, b] = [input("a", [1]), input("b", [1])];
    const loss = sum(add(add(multiply(minimum(a, b), 2), multiply(maximum(a, b), 3)), relu(subtract(a, 1))));
    const [ofA, ofB] = gradients(loss, [a, b]) as [Expression, Expression];
    const values = await computedBy(engine, { ofA, ofB }, { a: Float32Array.of(1), b: Float32Array.of(1) });
    expect(values).toEqual({ ofA: Float32Array.of(5), ofB: Float32Array.of(0) });
  });

  test("an output may be an input, a constant, or another output", async () => {
    const x = input("x", [2]);
    const doubled = multiply(x, 2);
    const outputs = { same: x, seven: scalar(7), doubled, again: doubled, shaped: reshape(x, [2, 1]) };
    const feeds = { x: Float32Array.of(1, 2) };
    const values = await computedBy(engine, outputs, feeds);
    expect(values).toEqual({
      same: feeds.x,
      seven: Float32Array.of(7),
      doubled: Float32Array.of(2, 4),
      again: Float32Array.of(2, 4),
      shaped: feeds.x,
    });
    values["same"]?.fill(9);
    expect(feeds.x).toEqual(Float32Array.of(1, 2));
  });

  test("an input that is missing, of another size or of two shapes is refused", async () => {
    const program = await engine.open("test", { y: add(input("x", [2]), 1) });
    await expect(program.run({})).rejects.toThrow("Expected 2 values for input `x`, got none");
    await expect(program.run({ x: new Float32Array(3) })).rejects.toThrow("Expected 2 values for input `x`, got 3");
    await program.close();
    const outputs = { y: sum(input("x", [2])), z: sum(input("x", [3])) };
    await expect(engine.open("test", outputs)).rejects.toThrow("Expected one shape for input `x`, got [2] and [3]");
  });

  test("expressions that are put together at random", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { minLength: 1, maxLength: 12 }),
        async (steps) => {
          const variables = [input("x0", [3, 4]), input("x1", [1, 4]), input("x2", [4, 4])];
          const known = [...variables];
          for (const [which, first, second] of steps) {
            const a = known[first % known.length] as Expression;
            const b = known[second % known.length] as Expression;
            known.push((random[which % random.length] as (typeof random)[number])(a, b));
          }
          const feeds = Object.fromEntries(
            variables.map(({ size }, i) => [`x${i}`, Float32Array.from(spread(size, -1, 1, i))]),
          );
          await agrees(engine, known.at(-1) as Expression, variables, feeds);
        },
      ),
      { numRuns: 40, seed: 1 },
    );
  });
});

const rowsOf = (x: Expression, rows: number): Expression => (x.shape[0] === rows ? x : sumKeeping(x, [0]));
/** Operations whose results stay small and have four columns, so that any of them can follow any other. */
const random: ((a: Expression, b: Expression) => Expression)[] = [
  (a, b) => add(a, rowsOf(b, a.shape[0] as number)),
  (a, b) => tanh(subtract(a, rowsOf(b, a.shape[0] as number))),
  (a, b) => multiply(tanh(a), tanh(rowsOf(b, a.shape[0] as number))),
  (a, b) => divide(a, add(square(tanh(rowsOf(b, a.shape[0] as number))), 1)),
  (a, b) => minimum(a, rowsOf(b, a.shape[0] as number)),
  (a, b) => maximum(rowsOf(b, a.shape[0] as number), a),
  (a, b) => tanh(matmul(tanh(a), matmul(b, b, { transposeLeft: true }))),
  (a) => relu(a),
  (a) => squareRoot(add(square(tanh(a)), 0.1)),
  (a) => clip(a, -0.61, 0.47),
  (a, b) => multiply(stopGradient(tanh(b)), sumKeeping(tanh(a), [0, 1])),
  (a) => pad(slice(a, 1, 1, 3), 1, 1, 1),
  (a) => concat([slice(a, 1, 2, 4), slice(a, 1, 0, 2)], 1),
];
