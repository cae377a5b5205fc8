import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { encodeModel, type Graph } from "@offloadlab/learning";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openClassifier } from "./classifier.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "offloadlab-classifier-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Mean colours as probabilities: what is red, green or blue. */
const colours: Graph = {
  name: "colours",
  inputs: [{ name: "image", type: "float32", shape: ["batch", 3, 4, 6] }],
  outputs: [{ name: "shares", type: "float32", shape: ["batch", 3] }],
  constants: [{ name: "axes", type: "int64", shape: [2], data: BigInt64Array.of(2n, 3n) }],
  nodes: [
    { operator: "ReduceSum", inputs: ["image", "axes"], outputs: ["sums"], attributes: { keepdims: { int: 0 } } },
    {
      operator: "LpNormalization",
      inputs: ["sums"],
      outputs: ["shares"],
      attributes: { axis: { int: 1 }, p: { int: 1 } },
    },
  ],
};
const colourCard = `name: colours
input: { name: image, width_pixels: 6, height_pixels: 4, layout: nchw, scale: 1, mean: [0, 0, 0], std: [1, 1, 1] }
output: { name: shares, kind: probabilities }
labels: [red, green, blue]
`;
const save = async (name: string, model: Uint8Array, card = colourCard): Promise<string> => {
  const file = join(folder, `${name}.onnx`);
  await writeFile(file, model);
  await writeFile(join(folder, `${name}.yaml`), card);
  return file;
};
const picture = (background: { r: number; g: number; b: number }): Promise<Buffer> =>
  sharp({ create: { width: 60, height: 40, channels: 3, background } })
    .png()
    .toBuffer();
const green = () => picture({ r: 51, g: 153, b: 51 });

/** The threads that are started while `action` runs. */
const threadsOf = async (action: () => Promise<unknown>): Promise<Worker[]> => {
  const started: Worker[] = [];
  const note = (message: unknown) => started.push((message as { worker: Worker }).worker);
  subscribe("worker_threads", note);
  await action();
  unsubscribe("worker_threads", note);
  return started;
};

test("an image is decoded, classified and timed", async () => {
  const classifier = await openClassifier(await save("colours", encodeModel(colours)), { threads: 2 });
  const result = await classifier.classify(await green());
  expect(result).toMatchObject({ label: "green", index: 1 });
  expect([...result.probabilities].map((value) => Math.round(100 * value))).toEqual([20, 60, 20]);
  expect(result.decodeSeconds).toBeGreaterThan(0);
  expect(result.inferSeconds).toBeGreaterThan(0);
  expect(classifier.card.name).toBe("colours");
  expect(classifier.sha256).toMatch(/^[0-9a-f]{64}$/);
  await classifier.close();
});

test("many calls at once get their own answers", async () => {
  const classifier = await openClassifier(await save("many", encodeModel(colours)));
  const reds = await Promise.all(Array.from({ length: 30 }, (_, i) => picture({ r: 8 * i, g: 255 - 8 * i, b: 0 })));
  const results = await Promise.all(reds.map((image) => classifier.classify(image)));
  for (const [i, { probabilities }] of results.entries()) expect(probabilities[0]).toBeCloseTo((8 * i) / 255, 5);
  await classifier.close();
});

test("an image that is none fails alone", async () => {
  const classifier = await openClassifier(await save("alone", encodeModel(colours)));
  const images = [await green(), Buffer.from("no image"), await green()];
  const settled = await Promise.allSettled(images.map((image) => classifier.classify(image)));
  expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(settled[1]).toMatchObject({ reason: { code: "image/unreadable" } });
  await classifier.close();
});

test("a tensor is handed over, a view is not", async () => {
  const classifier = await openClassifier(await save("tensors", encodeModel(colours)));
  const tensor = new Float32Array(72).fill(1, 48);
  const view = new Float32Array(100).subarray(10, 82).fill(1, 0, 24);
  const results = await Promise.all([classifier.infer(tensor), classifier.infer(view)]);
  expect(results.map(({ label, decodeSeconds }) => [label, decodeSeconds])).toEqual([
    ["blue", 0],
    ["red", 0],
  ]);
  expect(tensor.length).toBe(0);
  expect(view.length).toBe(72);
  await expect(classifier.infer(new Float32Array(71))).rejects.toThrow(RangeError);
  await classifier.close();
});

test("what was asked before the classifier closed is answered, what is asked after is a mistake", async () => {
  const classifier = await openClassifier(await save("closed", encodeModel(colours)));
  const image = await green();
  const calls = Promise.all([classifier.infer(new Float32Array(72).fill(1, 0, 24)), classifier.classify(image)]);
  await classifier.close();
  expect((await calls).map(({ label }) => label)).toEqual(["red", "green"]);
  await expect(classifier.infer(new Float32Array(72))).rejects.toThrow(RangeError);
  await classifier.close();
});

test("a thread that dies fails the open calls, and the next call starts another", async () => {
  const file = await save("mortal", encodeModel(colours));
  let classifier = await openClassifier(file);
  await classifier.close();
  const [worker] = await threadsOf(async () => {
    classifier = await openClassifier(file);
  });
  const calls = Promise.allSettled([classifier.infer(new Float32Array(72)), classifier.infer(new Float32Array(72))]);
  const [, settled] = await Promise.all([worker?.terminate(), calls]);
  for (const call of settled) expect(call).toMatchObject({ reason: { code: "classifier/unloadable" } });
  let label = "";
  const restarted = await threadsOf(async () => {
    const answers = await Promise.all([classifier.classify(await green()), classifier.classify(await green())]);
    label = answers.map((answer) => answer.label).join();
  });
  expect(label).toBe("green,green");
  expect(restarted.length).toBe(1);
  await classifier.close();
});

test("a classifier is ready while its thread can answer, and starts one again to be", async () => {
  const file = await save("ready", encodeModel(colours));
  let classifier = await openClassifier(file);
  await classifier.close();
  expect(await classifier.ready()).toBe(false);
  const [worker] = await threadsOf(async () => {
    classifier = await openClassifier(file);
  });
  await worker?.terminate();
  expect((await threadsOf(async () => expect(await classifier.ready()).toBe(true))).length).toBe(1);
  await classifier.close();
});

test.each([
  ["a file that is no model", Buffer.from("no model"), colourCard, /./],
  [
    "another input name",
    encodeModel(colours),
    colourCard.replace("name: image", "name: picture"),
    /`picture`.*`image`/,
  ],
  [
    "another shape",
    encodeModel(colours),
    colourCard.replace("width_pixels: 6", "width_pixels: 8"),
    /\[1, 3, 4, 8\].*4, 6\]/,
  ],
  ["another layout", encodeModel(colours), colourCard.replace("nchw", "nhwc"), /\[1, 4, 6, 3\]/],
  [
    "another output name",
    encodeModel(colours),
    colourCard.replace("name: shares", "name: logits"),
    /`logits`.*`shares`/,
  ],
  ["more labels than outputs", encodeModel(colours), colourCard.replace("blue]", "blue, grey]"), /4 labels.*3 outputs/],
])("%s is unloadable, and the process lives on", async (name, model, card, message) => {
  const file = await save(name.replaceAll(" ", "-"), model, card);
  const error = await openClassifier(file).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "classifier/unloadable", message: expect.stringMatching(message) });
  expect((error as Error).message).toContain(file);
});

test("a model that is cut short is unloadable", async () => {
  const model = encodeModel(colours);
  const file = await save("short", model.subarray(0, model.length / 2));
  await expect(openClassifier(file)).rejects.toMatchObject({ code: "classifier/unloadable" });
});

test("a missing model or card is unloadable, a wrong card is invalid", async () => {
  const file = await save("lonely", encodeModel(colours), colourCard.replace("nchw", "nchx"));
  await expect(openClassifier(file)).rejects.toMatchObject({
    code: "config/invalid",
    message: expect.stringContaining("lonely.yaml:2:"),
  });
  await rm(join(folder, "lonely.yaml"));
  await expect(openClassifier(file)).rejects.toMatchObject({
    code: "classifier/unloadable",
    message: expect.stringContaining("lonely.yaml"),
  });
  await writeFile(join(folder, "lonely.yaml"), colourCard);
  await rm(file);
  await expect(openClassifier(file)).rejects.toMatchObject({
    code: "classifier/unloadable",
    message: expect.stringContaining("lonely.onnx"),
  });
});

test("the runtime's telemetry is off in the process itself", async () => {
  delete process.env["ORT_DISABLE_TELEMETRY"];
  const classifier = await openClassifier(join(folder, "colours.onnx"));
  expect(process.env["ORT_DISABLE_TELEMETRY"]).toBe("1");
  await classifier.close();
});
