import { bytesField, type Fields, floatField, integerField, joined, messageField, stringField } from "./wire.ts";

// Field and enum numbers are those of onnx/onnx.proto (the ONNX specification); each function names its message.

/** TensorProto.DataType, the part we use. */
const elementTypes = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9 } as const;
export type ElementType = keyof typeof elementTypes;

const elementSizes: Readonly<Record<ElementType, number>> = { float32: 4, uint8: 1, int32: 4, int64: 8, bool: 1 };

/** A constant of the graph: weights, axes, shapes. Row-major. */
export interface Constant {
  readonly name: string;
  readonly type: ElementType;
  /** Empty for a scalar. */
  readonly shape: readonly number[];
  /** As many values as the shape says; bools are 0 and 1. */
  readonly data: Float32Array | Int32Array | BigInt64Array | Uint8Array;
}

/** The name, type and shape of an input or output of the graph; a string is a size known only when it runs, e.g. `batch`. */
export interface GraphValue {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[];
}

/** An attribute of an operator. A bare number could be either kind, so it says which. */
export type Attribute =
  | { readonly float: number }
  | { readonly int: number }
  | { readonly string: string }
  | { readonly floats: readonly number[] }
  | { readonly ints: readonly number[] };

/** One operator: values in, values out. An empty input name leaves out an optional input. */
export interface GraphNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** A model of ONNX's default domain. Nodes are in the order in which they can run. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  readonly constants: readonly Constant[];
  readonly nodes: readonly GraphNode[];
}

/** IR version 8 came with operator set 17 (onnx, docs/Versioning.md): runtimes since 2022 read both, Debian's checker too. */
const irVersion = 8;
const operatorSet = 17;

/**
 * The bytes of an `.onnx` file: a ModelProto in protobuf. The same graph always gives the same bytes.
 *
 * @throws RangeError when a name is defined twice or used before it is defined, or a constant does not fit its shape
 */
export const encodeModel = (graph: Graph): Uint8Array<ArrayBuffer> => {
  checkNames(graph);
  return joined([
    ...integerField(1, irVersion),
    ...stringField(2, "offloadlab"),
    ...messageField(7, graphFields(graph)),
    ...messageField(8, [...stringField(1, ""), ...integerField(2, operatorSet)]),
  ]);
};

/** GraphProto. */
const graphFields = ({ name, inputs, outputs, constants, nodes }: Graph): Fields => [
  ...nodes.flatMap((node) => messageField(1, nodeFields(node))),
  ...stringField(2, name),
  ...constants.flatMap((constant) => messageField(5, tensorFields(constant))),
  ...inputs.flatMap((value) => messageField(11, valueFields(value))),
  ...outputs.flatMap((value) => messageField(12, valueFields(value))),
];

/** NodeProto. */
const nodeFields = ({ operator, inputs, outputs, attributes = {} }: GraphNode): Fields => [
  ...inputs.flatMap((name) => stringField(1, name)),
  ...outputs.flatMap((name) => stringField(2, name)),
  ...stringField(4, operator),
  ...Object.entries(attributes).flatMap(([name, value]) => messageField(5, attributeFields(name, value))),
];

/** AttributeProto: the value in the field of its kind, the kind itself in field 20. */
const attributeFields = (name: string, value: Attribute): Fields => {
  const named = stringField(1, name);
  if ("float" in value) return [...named, ...floatField(2, value.float), ...integerField(20, 1)];
  if ("int" in value) return [...named, ...integerField(3, value.int), ...integerField(20, 2)];
  if ("string" in value) return [...named, ...stringField(4, value.string), ...integerField(20, 3)];
  if ("floats" in value)
    return [...named, ...value.floats.flatMap((item) => floatField(7, item)), ...integerField(20, 6)];
  return [...named, ...value.ints.flatMap((item) => integerField(8, item)), ...integerField(20, 7)];
};

/** TensorProto, its values in `raw_data`, which is little-endian: that of every machine that runs Node. */
const tensorFields = ({ name, type, shape, data }: Constant): Fields => {
  const values = shape.reduce((product, size) => product * size, 1);
  if (data.length !== values || data.BYTES_PER_ELEMENT !== elementSizes[type]) {
    const got = `${data.length} values of ${data.BYTES_PER_ELEMENT} bytes`;
    throw new RangeError(
      `Constant \`${name}\`: expected ${values} values of ${elementSizes[type]} bytes for ${type} [${shape}], got ${got}`,
    );
  }
  return [
    ...shape.flatMap((size) => integerField(1, size)),
    ...integerField(2, elementTypes[type]),
    ...stringField(8, name),
    ...bytesField(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ];
};

/** ValueInfoProto, with TypeProto.Tensor and TensorShapeProto inside. */
const valueFields = ({ name, type, shape }: GraphValue): Fields => {
  const dimensions = shape.flatMap((size) =>
    messageField(1, typeof size === "number" ? integerField(1, size) : stringField(2, size)),
  );
  const tensor = [...integerField(1, elementTypes[type]), ...messageField(2, dimensions)];
  return [...stringField(1, name), ...messageField(2, messageField(1, tensor))];
};

const checkNames = ({ inputs, outputs, constants, nodes }: Graph): void => {
  const known = new Set<string>();
  const define = (name: string) => {
    if (name === "" || known.has(name))
      throw new RangeError(`Expected a new name for each value of the graph, got \`${name}\` again`);
    known.add(name);
  };
  const use = (name: string, where: string) => {
    if (!known.has(name)) throw new RangeError(`${where} uses \`${name}\`, which nothing before it defines`);
  };
  for (const { name } of [...inputs, ...constants]) define(name);
  for (const { operator, inputs: used, outputs: defined } of nodes) {
    for (const name of used) if (name !== "") use(name, operator);
    for (const name of defined) define(name);
  }
  for (const { name } of outputs) use(name, "The graph's outputs");
};
