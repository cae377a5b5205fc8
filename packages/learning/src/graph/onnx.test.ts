import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeModel, type Graph } from "./onnx.ts";

const scaled: Graph = {
  name: "scaled",
  inputs: [{ name: "x", type: "float32", shape: ["batch", 2] }],
  outputs: [{ name: "y", type: "float32", shape: ["batch", 2] }],
  constants: [{ name: "factor", type: "float32", shape: [2], data: Float32Array.of(2, -3) }],
  nodes: [{ operator: "Mul", inputs: ["x", "factor"], outputs: ["y"] }],
};

test("the same graph gives the same bytes", () => {
  expect(encodeModel(scaled)).toEqual(encodeModel(structuredClone(scaled)));
});

test("a graph whose names do not add up is refused", () => {
  const [node] = scaled.nodes;
  const broken: [Partial<Graph>, RegExp][] = [
    [{ nodes: [{ operator: "Mul", inputs: ["x", "z"], outputs: ["y"] }] }, /Mul uses `z`/],
    [{ nodes: [{ operator: "Mul", inputs: ["x", "y"], outputs: ["y"] }] }, /Mul uses `y`/],
    [{ nodes: [node, node] as Graph["nodes"] }, /`y` again/],
    [{ nodes: [] }, /outputs uses `y`/],
    [{ inputs: [...scaled.inputs, ...scaled.inputs] }, /`x` again/],
  ];
  for (const [change, message] of broken) expect(() => encodeModel({ ...scaled, ...change })).toThrow(message);
});

test("a constant that does not fit its shape or type is refused", () => {
  const withConstant = (shape: number[], data: Float32Array | BigInt64Array): Graph => ({
    ...scaled,
    constants: [{ name: "factor", type: "float32", shape, data }],
  });
  expect(() => encodeModel(withConstant([3], Float32Array.of(1, 2)))).toThrow(/expected 3 values of 4 bytes/);
  expect(() => encodeModel(withConstant([1], BigInt64Array.of(1n)))).toThrow(/got 1 values of 8 bytes/);
});

test("an integer that is none is refused", () => {
  const power = (value: number): Graph => ({
    ...scaled,
    nodes: [{ operator: "Mul", inputs: ["x", "factor"], outputs: ["y"], attributes: { axis: { int: value } } }],
  });
  fc.assert(
    fc.property(fc.double({ noInteger: true }), (value) => {
      expect(() => encodeModel(power(value))).toThrow(RangeError);
    }),
  );
});
