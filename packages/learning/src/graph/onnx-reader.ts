import { joined } from "./wire.ts";
import { bytesOf, fieldsOf, integersOf, textOf, type WireField } from "./wire-reader.ts";

// Field and enum numbers are those of onnx/onnx.proto (the ONNX specification); each function names its message.

/** A tensor of floats that a model holds. */
export interface ReadConstant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A model's input or output; a string is a size known only when it runs. */
export interface ReadValue {
  readonly name: string;
  readonly isFloat: boolean;
  readonly shape: readonly (number | string)[];
}

/** What can be told of a model without running it. */
export interface ReadModel {
  readonly producer: string;
  readonly operators: readonly string[];
  /** Without those that are constants. */
  readonly inputs: readonly ReadValue[];
  readonly outputs: readonly ReadValue[];
  /** Those of floats. */
  readonly constants: readonly ReadConstant[];
}

/**
 * Reads a model's interface and weights.
 *
 * @throws RangeError when the bytes are no ONNX model
 */
export const readModel = (bytes: Uint8Array): ReadModel => {
  // ModelProto
  const model = fieldsOf(bytes);
  const [graphBytes] = bytesOf(model, 7);
  if (graphBytes === undefined) throw new RangeError("Expected an ONNX model with a graph, got protobuf without one");
  // GraphProto
  const graph = fieldsOf(graphBytes);
  const constants = bytesOf(graph, 5).flatMap((tensor) => readTensor(fieldsOf(tensor)));
  const outputs = bytesOf(graph, 12).map(readValue);
  if (outputs.length === 0) throw new RangeError("Expected an ONNX model with outputs, got none");
  const held = new Set(bytesOf(graph, 5).map((tensor) => textOf(fieldsOf(tensor), 8)));
  return {
    producer: textOf(model, 2),
    operators: bytesOf(graph, 1).map((node) => textOf(fieldsOf(node), 4)),
    inputs: bytesOf(graph, 11)
      .map(readValue)
      .filter(({ name }) => !held.has(name)),
    outputs,
    constants,
  };
};

const floatType = 1;
const externalLocation = 1;

/** TensorProto of floats; nothing of others, nor of what lies in another file. */
const readTensor = (fields: readonly WireField[]): ReadConstant[] => {
  if (integersOf(fields, 2).at(-1) !== floatType || integersOf(fields, 14).at(-1) === externalLocation) return [];
  const shape = integersOf(fields, 1);
  // In `raw_data`, or in `float_data`, packed or one by one. A copy: its place need not suit float32.
  const data = joined([...bytesOf(fields, 9), ...bytesOf(fields, 4)]);
  const name = textOf(fields, 8);
  const size = shape.reduce((product, each) => product * each, 4);
  if (data.length !== size) {
    throw new RangeError(`Constant \`${name}\`: expected ${size} bytes for [${shape}], got ${data.length}`);
  }
  return [{ name, shape, data: new Float32Array(data.buffer) }];
};

/** ValueInfoProto, with TypeProto.Tensor and TensorShapeProto inside. */
const readValue = (bytes: Uint8Array): ReadValue => {
  const value = fieldsOf(bytes);
  const tensor = inside(inside(value, 2), 1);
  const shape = bytesOf(inside(tensor, 2), 1).map((dimension) => {
    const fields = fieldsOf(dimension);
    return integersOf(fields, 1).at(-1) ?? textOf(fields, 2);
  });
  return { name: textOf(value, 1), isFloat: integersOf(tensor, 1).at(-1) === floatType, shape };
};

/** The message of a field; empty without one. */
const inside = (fields: readonly WireField[], field: number): WireField[] =>
  fieldsOf(bytesOf(fields, field).at(-1) ?? new Uint8Array());
