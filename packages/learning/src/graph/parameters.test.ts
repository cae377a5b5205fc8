import { expect, test } from "vitest";
import type { Expression } from "./expression.ts";
import { flattened, layoutSize, parameters, weightsIn } from "./parameters.ts";
import { plainEngine } from "./plain.test-helper.ts";

const layout = { weights: [2, 3], bias: [3], last: [3, 1] };

const computed = async (outputs: Record<string, Expression>, flat: Float32Array) => {
  const program = await plainEngine.open("test", outputs);
  return program.run({ flat });
};
const counted = (size: number): Float32Array => Float32Array.from({ length: size }, (_, i) => i);

test("weights lie one after the other, and go back to where they were", async () => {
  const flat = parameters("flat", layout);
  const weights = weightsIn(flat, layout);
  expect(flat.shape).toEqual([layoutSize(layout)]);
  expect(Object.values(weights).map(({ shape }) => shape)).toEqual([[2, 3], [3], [3, 1]]);
  const values = await computed({ ...weights, back: flattened(Object.values(weights)) }, counted(12));
  expect(values).toEqual({
    weights: Float32Array.of(0, 1, 2, 3, 4, 5),
    bias: Float32Array.of(6, 7, 8),
    last: Float32Array.of(9, 10, 11),
    back: counted(12),
  });
});

test("of two networks, each lies in one piece", async () => {
  const flat = parameters("flat", layout, 2);
  const weights = weightsIn(flat, layout);
  expect(flat.shape).toEqual([2, layoutSize(layout)]);
  expect(Object.values(weights).map(({ shape }) => shape)).toEqual([
    [2, 2, 3],
    [2, 3],
    [2, 3, 1],
  ]);
  const back = flattened(Object.values(weights), 1);
  expect(back.shape).toEqual(flat.shape);
  const values = await computed({ bias: weights.bias, back }, counted(24));
  expect(values).toEqual({ bias: Float32Array.of(6, 7, 8, 18, 19, 20), back: counted(24) });
});
