import { stat } from "node:fs/promises";
import { randomStream } from "@offloadlab/model";
import { bytes } from "@offloadlab/units";
import { expect, test } from "vitest";
import { openClassifier } from "./classifier.ts";
import { generateImage } from "./images.ts";
import { embeddedModel } from "./paths.ts";
import { sceneLabels } from "./scene.ts";

test("the embedded model names at least 95 % of full-size images that it has not seen", {
  timeout: 60_000,
}, async () => {
  const classifier = await openClassifier();
  const random = randomStream(11, "embedded test");
  const misses: string[] = [];
  const images = Array.from({ length: 48 }, async (_, i) => {
    const label = sceneLabels[i % sceneLabels.length];
    const size = bytes(random.uniform(0.51e6, 1.475e6));
    const answer = await classifier.classify(await generateImage(i % sceneLabels.length, 2 ** 32 + i, size));
    if (answer.label !== label) misses.push(`${label} taken for ${answer.label}`);
  });
  await Promise.all(images);
  await classifier.close();
  expect(misses.length, misses.join(", ")).toBeLessThanOrEqual(2);
});

test("the embedded model is small enough to be copied to every device", async () => {
  expect((await stat(embeddedModel)).size).toBeLessThan(1e6);
});
