// Trains the embedded classifier on generated images and writes packages/classifier/models/embedded.onnx and .yaml.
//
//   npx tsx scripts/train-classifier.ts --seed 1
//
// The same seed gives the same files. Held-out accuracy is measured on full-size JPEGs through the classifier itself.

import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { embeddedModel, generateImage, openClassifier, readCard } from "@offloadlab/classifier";
import { randomStream } from "@offloadlab/model";
import { bytes } from "@offloadlab/units";
import { stringify } from "yaml";
import { sceneLabels } from "../packages/classifier/src/scene.ts";
import { smallExample } from "../packages/classifier/src/training/examples.ts";
import { type Example, train } from "../packages/classifier/src/training/learn.ts";
import { createNetwork } from "../packages/classifier/src/training/network.ts";
import { exportNetwork } from "../packages/classifier/src/training/onnx-export.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    examples: { type: "string", default: "5000" },
    epochs: { type: "string", default: "10" },
    "held-out": { type: "string", default: "360" },
  },
});
const seed = Number(values.seed);
const say = (text: string): void => {
  process.stdout.write(`${(performance.now() / 1000).toFixed(1).padStart(7)} s  ${text}\n`);
};

const side = 48;
const cardFile = embeddedModel.replace(/\.onnx$/, ".yaml");
const cardText = stringify({
  name: "scenes",
  input: {
    name: "image",
    width_pixels: side,
    height_pixels: side,
    layout: "nchw",
    scale: 1 / 255,
    mean: [0.5, 0.5, 0.5],
    std: [0.25, 0.25, 0.25],
  },
  output: { name: "logits", kind: "logits" },
  labels: sceneLabels,
});
await writeFile(
  cardFile,
  `# Of the model beside it, trained by scripts/train-classifier.ts --seed ${seed}\n${cardText}`,
);
const card = await readCard(cardFile);

const exampleCount = Number(values.examples);
const examples: Example[] = [];
for (let i = 0; i < exampleCount; i++) {
  examples.push(await smallExample(i % sceneLabels.length, randomStream(seed, "training", i).integer(2 ** 31), card));
  if ((i + 1) % 1000 === 0) say(`drew ${i + 1} of ${exampleCount} images`);
}

const network = createNetwork(
  { side, channels: [3, 8, 16, 32, 48], classes: sceneLabels.length },
  randomStream(seed, "weights"),
);
say(`training ${network.parameters.length} parameters`);
const settings = { epochs: Number(values.epochs), learningRate: 3e-3 };
train(network, examples, settings, randomStream(seed, "order"), (epoch, loss, accuracy) => {
  say(`epoch ${epoch} of ${settings.epochs}: loss ${loss.toFixed(4)}, ${(100 * accuracy).toFixed(1)} % right`);
});

const model = exportNetwork(network, card);
await writeFile(embeddedModel, model);
say(`wrote ${embeddedModel}, ${model.length} bytes`);

const classifier = await openClassifier(embeddedModel);
const heldOut = Number(values["held-out"]);
const random = randomStream(seed, "held out");
const misses: string[] = [];
for (let i = 0; i < heldOut; i++) {
  const label = sceneLabels[i % sceneLabels.length] as string;
  // Training seeds are below 2^31.
  const image = await generateImage(
    i % sceneLabels.length,
    2 ** 31 + random.integer(2 ** 31),
    bytes(random.uniform(0.51e6, 1.475e6)),
  );
  const answer = await classifier.classify(image);
  if (answer.label !== label) misses.push(`${label} taken for ${answer.label}`);
  if ((i + 1) % 60 === 0) say(`tested ${i + 1} of ${heldOut} full-size images, ${misses.length} wrong`);
}
await classifier.close();
const accuracy = 1 - misses.length / heldOut;
say(`held-out accuracy ${(100 * accuracy).toFixed(2)} %`);
for (const miss of misses) process.stdout.write(`           ${miss}\n`);
if (accuracy < 0.95) {
  process.stderr.write("Expected at least 95 %: give it more --examples or --epochs\n");
  process.exitCode = 1;
}
