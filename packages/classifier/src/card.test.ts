import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readCard } from "./card.ts";
import { embeddedModel } from "./paths.ts";
import { sceneLabels } from "./scene.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "offloadlab-card-"));
});
afterAll(() => rm(folder, { recursive: true }));

const good = `name: two
input:
  name: image
  width_pixels: 8
  height_pixels: 6
  layout: nhwc
  scale: 0.5
  mean: [0, 0.1, 0.2]
  std: [1, 2, 3]
output:
  name: scores
  kind: logits
labels: [cat, dog]
`;
const read = async (text: string) => {
  const file = join(folder, "model.yaml");
  await writeFile(file, text);
  return readCard(file);
};

test("a card says all that the classifier needs", async () => {
  expect(await read(good)).toEqual({
    name: "two",
    input: { name: "image", width: 8, height: 6, layout: "nhwc", scale: 0.5, mean: [0, 0.1, 0.2], std: [1, 2, 3] },
    output: { name: "scores", kind: "logits" },
    labels: ["cat", "dog"],
  });
});

test("the embedded model's labels are the classes of generated images", async () => {
  expect((await readCard(embeddedModel.replace(/onnx$/, "yaml"))).labels).toEqual(sceneLabels);
});

test.each([
  [
    "a wrong value",
    good.replace("kind: logits", "kind: scores"),
    '12:3: `output.kind` must be logits or probabilities, got "scores"',
  ],
  [
    "a wrong type",
    good.replace("width_pixels: 8", "width_pixels: wide"),
    '4:3: `input.width_pixels` must be integer, got "wide"',
  ],
  ["a value out of range", good.replace("[1, 2, 3]", "[1, 0, 3]"), "9:12: `input.std.1` must be > 0, got 0"],
  [
    "an unknown key",
    good.replace("  kind: logits", "  kind: logits\n  sort: logits"),
    "13:3: `output.sort` is no key of a card",
  ],
  ["an unknown key at the top", `${good}size: 3\n`, "14:1: `size` is no key of a card"],
  ["a missing key", good.replace("  scale: 0.5\n", ""), "2:1: `input` must have `scale`, got nothing"],
  [
    "too few channels",
    good.replace("mean: [0, 0.1, 0.2]", "mean: [0]"),
    "8:3: `input.mean` must not have fewer than 3 items, got [0]",
  ],
  ["broken YAML", good.replace("[cat, dog]", "[cat, dog"), "14:1: expected YAML"],
  [
    "a key given twice",
    good.replace("layout: nhwc", "layout: nhwc\n  layout: nchw"),
    "7:3: expected YAML, Map keys must be unique",
  ],
  ["an empty file", "", "1:1: the card must be object, got null"],
])("%s is refused with its line and column", async (_, text, message) => {
  const error = await read(text).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "config/invalid" });
  expect((error as Error).message).toContain(`${join(folder, "model.yaml")}:${message}`);
});

test("a missing card says what to do", async () => {
  const missing = join(folder, "other.yaml");
  await expect(readCard(missing)).rejects.toMatchObject({
    code: "classifier/unloadable",
    message: expect.stringContaining(missing),
  });
});
