import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeModel, type Graph } from "./onnx.ts";
import { readModel } from "./onnx-reader.ts";
import { bytesField, type Fields, floatField, integerField, joined, messageField, stringField } from "./wire.ts";

const scaled: Graph = {
  name: "scaled",
  inputs: [{ name: "x", type: "float32", shape: ["batch", 2] }],
  outputs: [{ name: "y", type: "float32", shape: ["batch", 2] }],
  constants: [
    { name: "factor", type: "float32", shape: [2], data: Float32Array.of(2, -3) },
    { name: "count", type: "int64", shape: [1], data: BigInt64Array.of(7n) },
  ],
  nodes: [{ operator: "Mul", inputs: ["x", "factor"], outputs: ["y"] }],
};

test("a model that was written is read again", () => {
  expect(readModel(encodeModel(scaled))).toEqual({
    producer: "offloadlab",
    operators: ["Mul"],
    inputs: [{ name: "x", isFloat: true, shape: ["batch", 2] }],
    outputs: [{ name: "y", isFloat: true, shape: ["batch", 2] }],
    constants: [{ name: "factor", shape: [2], data: Float32Array.of(2, -3) }],
  });
});

test("a model of another exporter is read as well", () => {
  const file = join(import.meta.dirname, "../../../classifier/models/embedded.onnx");
  const { inputs, outputs, constants } = readModel(readFileSync(file));
  expect([...inputs, ...outputs].every(({ isFloat }) => isFloat)).toBe(true);
  expect(constants.length).toBeGreaterThan(4);
  expect(constants.every(({ data }) => data.every(Number.isFinite))).toBe(true);
});

test("bytes that are no model are refused, whatever they are", () => {
  const bytes = encodeModel(scaled);
  expect(() => readModel(new Uint8Array())).toThrow("Expected an ONNX model with a graph");
  expect(() => readModel(Buffer.from("name: two\ninput:\n"))).toThrow(RangeError);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: bytes.length - 1 }), (length) => {
      // The operator set comes last: a graph may be whole without it.
      const graph = bytes.length - 6;
      if (length < graph) expect(() => readModel(bytes.subarray(0, length))).toThrow(RangeError);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
      expect(() => readModel(noise)).toThrow(RangeError);
    }),
  );
});

test("floats are read wherever ONNX allows them, but for those of other files", () => {
  const floats = Float32Array.of(1.5, -2);
  const tensor = (name: string, ...values: Fields[]): Fields =>
    messageField(5, [...integerField(1, 2), ...integerField(2, 1), ...stringField(8, name), ...values.flat()]);
  const graph = [
    ...tensor("packed", bytesField(4, new Uint8Array(floats.buffer))),
    ...tensor("one by one", floatField(4, 1.5), floatField(4, -2)),
    ...tensor("elsewhere", integerField(14, 1)),
    ...messageField(12, stringField(1, "y")),
  ];
  const { constants } = readModel(joined(messageField(7, graph)));
  expect(constants).toEqual(["packed", "one by one"].map((name) => ({ name, shape: [2], data: floats })));
});

test("a constant that is shorter than its shape is refused", () => {
  const bytes = encodeModel(scaled);
  // The dimension 2 of `factor`: field 1, then the type.
  const at = Buffer.from(bytes).indexOf(Buffer.from([0x08, 0x02, 0x10, 0x01]));
  const longer = Uint8Array.from(bytes);
  longer[at + 1] = 3;
  expect(() => readModel(longer)).toThrow("Constant `factor`: expected 12 bytes for [3], got 8");
});
