import { expect, test } from "vitest";
import {
  add,
  constant,
  type Expression,
  gradients,
  input,
  largest,
  matmul,
  mean,
  multiply,
  square,
  subtract,
  sum,
  tanh,
} from "./expression.ts";
import { lower } from "./lower.ts";
import { encodeModel } from "./onnx.ts";
import { onnxEngine } from "./onnx-engine.ts";

/** A regression's loss and gradients, built anew. */
const regression = (): Record<string, Expression> => {
  const weights = input("weights", [3, 2]);
  const errors = subtract(tanh(matmul(input("x", [5, 3]), weights)), input("y", [5, 2]));
  const loss = mean(square(errors));
  return { loss, gradient: gradients(loss, [weights])[0] as Expression };
};

const operators = (outputs: Record<string, Expression>): string[] =>
  lower("test", outputs).nodes.map(({ operator }) => operator);

test("equal expressions give equal bytes", () => {
  const [first, second] = [regression(), regression()].map((outputs) => encodeModel(lower("test", outputs)));
  expect(first).toEqual(second);
});

test("what is computed twice is written once", () => {
  const x = input("x", [4]);
  const twice = () => add(tanh(multiply(x, 2)), 1);
  expect(operators({ y: multiply(twice(), twice()) })).toEqual(["Mul", "Tanh", "Add", "Mul"]);
  expect(lower("test", { y: multiply(twice(), twice()) }).constants.map(({ data }) => [...data])).toEqual([[2], [1]]);
});

test("constants are one only if their bits are", () => {
  const x = input("x", [1]);
  const of = (...values: number[]) => values.reduce<Expression>((sum, value) => add(sum, constant([value], [1])), x);
  expect(lower("test", { y: of(0, 0) }).constants).toHaveLength(1);
  expect(lower("test", { y: of(0, -0) }).constants).toHaveLength(2);
});

test("a result has its output's name, a second output and an input are copied", () => {
  const x = input("x", [2]);
  const y = tanh(x);
  const { nodes } = lower("test", { y, z: y, w: x, negative: multiply(y, -1) });
  expect(nodes.map(({ operator, inputs, outputs }) => `${outputs} = ${operator}(${inputs})`)).toEqual([
    "y = Tanh(x)",
    "negative = Mul(y,c0)",
    "z = Identity(y)",
    "w = Identity(x)",
  ]);
});

test("an input of which only a gradient of 0 is asked stays an input", () => {
  const [x, y] = [input("x", [2]), input("y", [2])];
  const [gradient] = gradients(sum(x), [y]) as [Expression];
  expect(lower("test", { gradient }).inputs.map(({ name }) => name)).toEqual(["x", "y"]);
});

test("matrices are transposed as they are read", () => {
  const [a, b] = [input("a", [3, 2]), input("b", [3, 4])];
  expect(operators({ y: matmul(a, b, { transposeLeft: true }) })).toEqual(["Gemm"]);
});

test("a gradient of a gradient is derived as well", async () => {
  const x = input("x", [2]);
  const inner = gradients(sum(multiply(square(x), x)), [x])[0] as Expression;
  const outer = gradients(sum(inner), [x])[0] as Expression;
  const program = await onnxEngine.open("test", { inner, outer });
  const values = await program.run({ x: Float32Array.of(2, -3) });
  // Of x³: 3x² and 6x.
  expect(values).toEqual({ inner: Float32Array.of(12, 27), outer: Float32Array.of(12, -18) });
  await program.close();
});

test("a loss through the largest element is refused", () => {
  const x = input("x", [2, 3]);
  expect(() => lower("test", { gradient: gradients(sum(largest(x, 1)), [x])[0] as Expression })).toThrow(
    new RangeError("Expected a loss that can be derived, got one through `largest`"),
  );
});
