import { type Constant, encodeModel, type GraphNode } from "@offloadlab/learning";
import type { Card } from "../card.ts";
import type { Network, Slices } from "./network.ts";

/** The network as an ONNX model with the names and the input of its card; the batch may be of any size. */
export const exportNetwork = (
  { architecture, layers }: Network,
  { name, input, output }: Card,
): Uint8Array<ArrayBuffer> => {
  const { side, channels, classes } = architecture;
  const nodes: GraphNode[] = [];
  const constants: Constant[] = [];
  let value = input.name;
  for (const [i, { weights, bias }] of layers.slice(0, -1).entries()) {
    constants.push(float(`weights-${i}`, [channels[i + 1] as number, channels[i] as number, 3, 3], weights));
    constants.push(float(`bias-${i}`, [channels[i + 1] as number], bias));
    nodes.push(
      {
        operator: "Conv",
        inputs: [value, `weights-${i}`, `bias-${i}`],
        outputs: [`convolved-${i}`],
        attributes: { kernel_shape: { ints: [3, 3] }, pads: { ints: [1, 1, 1, 1] } },
      },
      { operator: "Relu", inputs: [`convolved-${i}`], outputs: [`rectified-${i}`] },
      {
        operator: "MaxPool",
        inputs: [`rectified-${i}`],
        outputs: [`pooled-${i}`],
        attributes: { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } },
      },
    );
    value = `pooled-${i}`;
  }
  const dense = layers.at(-1) as Slices;
  constants.push(
    float("weights", [classes, dense.weights.length / classes], dense.weights),
    float("bias", [classes], dense.bias),
  );
  nodes.push(
    { operator: "Flatten", inputs: [value], outputs: ["features"], attributes: { axis: { int: 1 } } },
    {
      operator: "Gemm",
      inputs: ["features", "weights", "bias"],
      outputs: [output.name],
      attributes: { transB: { int: 1 } },
    },
  );
  return encodeModel({
    name,
    inputs: [{ name: input.name, type: "float32", shape: ["batch", channels[0] as number, side, side] }],
    outputs: [{ name: output.name, type: "float32", shape: ["batch", classes] }],
    constants,
    nodes,
  });
};

const float = (name: string, shape: readonly number[], data: Float64Array): Constant => ({
  name,
  type: "float32",
  shape,
  data: Float32Array.from(data),
});
