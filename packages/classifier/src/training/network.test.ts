import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomStream } from "@offloadlab/model";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import type { Card } from "../card.ts";
import { openClassifier } from "../classifier.ts";
import { crossEntropy } from "./learn.ts";
import { createNetwork, type Network } from "./network.ts";
import { exportNetwork } from "./onnx-export.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "offloadlab-training-"));
});
afterAll(() => rm(folder, { recursive: true }));

const side = 12;
const smallNetwork = (): Network => {
  const random = randomStream(7, "test");
  const network = createNetwork({ side, channels: [3, 4, 5], classes: 6 }, random);
  // Biases start at 0, where an error in them would not show.
  for (const { bias } of network.layers) for (let i = 0; i < bias.length; i++) bias[i] = random.uniform(-0.1, 0.1);
  return network;
};
const image = (): Float32Array<ArrayBuffer> => {
  const random = randomStream(8, "test");
  return Float32Array.from({ length: 3 * side * side }, () => random.uniform(-2, 2));
};

test("the gradient of every kind of parameter is the finite difference of the loss", () => {
  const network = smallNetwork();
  const loss = () => crossEntropy(network.forward(image()), 2).loss;
  network.backward(crossEntropy(network.forward(image()), 2).gradient);
  const analytic = network.gradients.slice();
  for (let i = 0; i < network.parameters.length; i += 13) {
    const value = network.parameters[i] as number;
    const step = 1e-6;
    network.parameters[i] = value + step;
    const above = loss();
    network.parameters[i] = value - step;
    const difference = (above - loss()) / (2 * step);
    network.parameters[i] = value;
    expect(analytic[i], `parameter ${i}`).toBeCloseTo(difference, 6);
  }
});

test("ONNX Runtime computes what the training computes", async () => {
  const network = smallNetwork();
  const card: Card = {
    name: "small",
    input: { name: "image", width: side, height: side, layout: "nchw", scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
    output: { name: "logits", kind: "logits" },
    labels: ["a", "b", "c", "d", "e", "f"],
  };
  const { width, height, ...input } = card.input;
  const cardFile = { ...card, input: { ...input, width_pixels: width, height_pixels: height } };
  await writeFile(join(folder, "small.yaml"), stringify(cardFile));
  await writeFile(join(folder, "small.onnx"), exportNetwork(network, card));
  const classifier = await openClassifier(join(folder, "small.onnx"));
  const { probabilities } = await classifier.infer(image());
  await classifier.close();
  const logits = network.forward(image());
  const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
  for (const [i, probability] of probabilities.entries()) {
    expect(Math.abs(probability - Math.exp(logits[i] as number) / sum)).toBeLessThan(1e-4);
  }
});
