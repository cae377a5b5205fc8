import type { Constant, Graph } from "@offloadlab/learning";
import { encodeModel } from "@offloadlab/learning";
import fc from "fast-check";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, test } from "vitest";

// What the ONNX encoder writes, read by ONNX Runtime.

const run = async (graph: Graph, x: Float32Array, shape: readonly number[]): Promise<Tensor> => {
  const session = await InferenceSession.create(encodeModel(graph));
  const { y } = await session.run({ x: new Tensor("float32", x, shape) });
  await session.release();
  return y as Tensor;
};

test("every kind of attribute and constant arrives", async () => {
  const constants: Constant[] = [
    { name: "shape", type: "int64", shape: [2], data: BigInt64Array.of(-1n, 2n) },
    { name: "mask", type: "bool", shape: [2], data: Uint8Array.of(1, 0) },
    { name: "column", type: "int32", shape: [], data: Int32Array.of(1) },
    { name: "hundred", type: "float32", shape: [], data: Float32Array.of(100) },
  ];
  const y = await run(
    {
      name: "everything",
      inputs: [{ name: "x", type: "float32", shape: [1, 4] }],
      outputs: [{ name: "y", type: "float32", shape: ["rows", 2] }],
      constants,
      nodes: [
        { operator: "LeakyRelu", inputs: ["x"], outputs: ["leaky"], attributes: { alpha: { float: 0.5 } } },
        { operator: "Reshape", inputs: ["leaky", "shape"], outputs: ["pairs"] },
        { operator: "Transpose", inputs: ["pairs"], outputs: ["turned"], attributes: { perm: { ints: [1, 0] } } },
        { operator: "Where", inputs: ["mask", "turned", "hundred"], outputs: ["chosen"] },
        { operator: "Constant", inputs: [], outputs: ["tens"], attributes: { value_floats: { floats: [10, 20] } } },
        { operator: "Add", inputs: ["chosen", "tens"], outputs: ["sum"] },
        { operator: "Gather", inputs: ["sum", "column"], outputs: ["hundreds"], attributes: { axis: { int: -1 } } },
        {
          operator: "Einsum",
          inputs: ["sum", "hundreds"],
          outputs: ["y"],
          attributes: { equation: { string: "ij,i->ij" } },
        },
      ],
    },
    Float32Array.of(1, -2, 3, -4),
    [1, 4],
  );
  // [1, -1, 3, -2] as pairs, turned: [[1, 3], [-1, -2]]; masked: [[1, 100], [-1, 100]]; plus tens: [[11, 120], [9, 120]].
  expect(y.dims).toEqual([2, 2]);
  expect([...(y.data as Float32Array)]).toEqual([1320, 14400, 1080, 14400]);
});

test("a constant's values come back bit by bit", async () => {
  const float = fc.float({ noNaN: true, noDefaultInfinity: true });
  await fc.assert(
    fc.asyncProperty(fc.float32Array({ minLength: 1, maxLength: 300, noNaN: true }), float, async (values, first) => {
      values[0] = first;
      const y = await run(
        {
          name: "constant",
          inputs: [{ name: "x", type: "float32", shape: ["n"] }],
          outputs: [{ name: "y", type: "float32", shape: ["n"] }],
          constants: [{ name: "values", type: "float32", shape: [values.length], data: Float32Array.from(values) }],
          nodes: [{ operator: "Max", inputs: ["x", "values"], outputs: ["y"] }],
        },
        new Float32Array(values.length).fill(Number.NEGATIVE_INFINITY),
        [values.length],
      );
      expect(y.data).toEqual(values);
    }),
    { numRuns: 25 },
  );
});
