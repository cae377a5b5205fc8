import { expect, it } from "vitest";
import {
  add,
  broadcastTo,
  clip,
  concat,
  divide,
  type Expression,
  gradients,
  input,
  matmul,
  maximum,
  mean,
  minimum,
  multiply,
  pad,
  relu,
  reshape,
  slice,
  square,
  squareRoot,
  stopGradient,
  subtract,
  sum,
  tanh,
} from "./expression.ts";
import { onnxEngine } from "./onnx-engine.ts";
import type { Values } from "./program.ts";

/** Values well apart from each other and from 0, so that no step crosses a kink. */
const valuesOf = (size: number, seed: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => {
    const spread = (((i * 7 + seed * 13) % 11) - 5) / 4 + 0.13;
    return spread + 0.01 * i;
  });

const a = input("a", [2, 3]);
const b = input("b", [2, 3]);
const row = input("row", [3]);
const column = input("column", [2, 1]);
const tall = input("tall", [3, 2]);
const stack = input("stack", [2, 2, 3]);
const stackTall = input("stackTall", [2, 3, 2]);
const feeds: Values = {
  a: valuesOf(6, 1),
  b: valuesOf(6, 2),
  row: valuesOf(3, 3),
  column: valuesOf(2, 4),
  tall: valuesOf(6, 5),
  stack: valuesOf(12, 6),
  stackTall: valuesOf(12, 7),
};
/** Numbers that tell the elements of a result apart. */
const weighted = (x: Expression): Expression => {
  const weights = input("weights", x.shape);
  return sum(multiply(x, weights));
};

const cases: readonly (readonly [name: string, result: Expression, of: readonly Expression[]])[] = [
  ["add, broadcast", add(a, row), [a, row]],
  ["add, broadcast on both sides", add(row, column), [row, column]],
  ["subtract", subtract(column, a), [column, a]],
  ["multiply", multiply(a, b), [a, b]],
  ["a square, one input twice", square(a), [a]],
  ["divide", divide(a, add(square(row), 1)), [a, row]],
  ["minimum", minimum(a, b), [a, b]],
  ["maximum", maximum(a, column), [a, column]],
  ["clip", clip(multiply(a, 2), -1, 1), [a]],
  ["relu", relu(a), [a]],
  ["tanh", tanh(a), [a]],
  ["square root", squareRoot(add(square(a), 0.5)), [a]],
  ["matmul", matmul(a, tall), [a, tall]],
  ["matmul, left transposed", matmul(a, b, { transposeLeft: true }), [a, b]],
  ["matmul, right transposed", matmul(a, b, { transposeRight: true }), [a, b]],
  ["matmul, both transposed", matmul(tall, a, { transposeLeft: true, transposeRight: true }), [tall, a]],
  ["matmul of stacks", matmul(stack, stackTall), [stack, stackTall]],
  ["matmul of stacks, left transposed", matmul(stack, stack, { transposeLeft: true }), [stack]],
  ["matmul of stacks, right transposed", matmul(stackTall, stackTall, { transposeRight: true }), [stackTall]],
  ["matmul of one matrix with a stack", matmul(a, stackTall), [a, stackTall]],
  ["matmul of a stack with one matrix", matmul(stack, a, { transposeRight: true }), [stack, a]],
  ["sum over an axis", sum(square(stack), [1]), [stack]],
  ["mean over two axes", mean(square(stack), [0, 2]), [stack]],
  ["reshape", reshape(square(a), [3, 2]), [a]],
  ["broadcast", multiply(broadcastTo(row, [2, 3]), a), [row, a]],
  ["concat", square(concat([a, b, a], 1)), [a, b]],
  ["slice", square(slice(stack, 2, 1, 3)), [stack]],
  ["pad", square(pad(a, 1, 1, 2)), [a]],
  ["a network", tanh(matmul(relu(add(matmul(a, tall), column)), a)), [a, tall, column]],
];

it.each(cases)("the gradient of %s is its finite difference", async (_, result, of) => {
  const loss = weighted(result);
  const all: Values = { ...feeds, weights: valuesOf(result.size, 8) };
  const names = of.map((each) => (each.operation as { name: string }).name);
  const outputs = Object.fromEntries(gradients(loss, of).map((gradient, i) => [`gradient${i}`, gradient]));
  const program = await onnxEngine.open("gradients", { loss, ...outputs });
  const analytic = await program.run(all);
  const lossAt = async (name: string, index: number, step: number): Promise<number> => {
    const moved = Float32Array.from(all[name] as Float32Array);
    moved[index] = (moved[index] as number) + step;
    return (await program.run({ ...all, [name]: moved }))["loss"]?.[0] as number;
  };
  // Float32: large enough to rise above rounding, small enough for the curvature here.
  const step = 2e-3;
  for (const [i, name] of names.entries()) {
    const gradient = analytic[`gradient${i}`] as Float32Array;
    for (let index = 0; index < gradient.length; index++) {
      const difference = ((await lossAt(name, index, step)) - (await lossAt(name, index, -step))) / (2 * step);
      const scale = Math.max(1, Math.abs(difference));
      expect(Math.abs((gradient[index] as number) - difference) / scale, `${name}[${index}]`).toBeLessThan(1e-2);
    }
  }
  await program.close();
});

it("no gradient flows through what is stopped, nor to what the loss does not depend on", async () => {
  const loss = sum(multiply(stopGradient(square(a)), b));
  const [ofA, ofB, ofRow] = gradients(loss, [a, b, row]) as [Expression, Expression, Expression];
  const program = await onnxEngine.open("stopped", { ofA, ofB, ofRow });
  const result = await program.run(feeds);
  expect([...(result["ofA"] as Float32Array)]).toEqual([0, 0, 0, 0, 0, 0]);
  expect([...(result["ofRow"] as Float32Array)]).toEqual([0, 0, 0]);
  (result["ofB"] as Float32Array).forEach((value, i) => {
    expect(value).toBeCloseTo(((feeds["a"] as Float32Array)[i] as number) ** 2, 5);
  });
  await program.close();
});

it("refuses a loss of more than one number, and shapes that do not fit", () => {
  expect(() => gradients(a, [b])).toThrow("Expected a loss of one number, got one of shape [2,3]");
  expect(() => add(a, tall)).toThrow("Expected shapes that broadcast in add, got [2,3] and [3,2]");
  expect(() => matmul(a, b)).toThrow("Expected matrices that fit in matmul, got [2,3] and [2,3]");
  expect(() => reshape(a, [4])).toThrow(RangeError);
  expect(() => slice(a, 1, 2, 4)).toThrow(RangeError);
  expect(() => concat([a, tall], 0)).toThrow(RangeError);
});
