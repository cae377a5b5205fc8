import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, truncate, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytes } from "@offloadlab/units";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readImageSet } from "./image-set.ts";
import { generateImage, imageSet } from "./images.ts";
import { sceneLabels } from "./scene.ts";

// A frame takes a quarter of a second; a busy machine may need much longer.
const patient = { timeout: 60_000 };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "offloadlab-images-"));
});
afterAll(() => rm(folder, { recursive: true }));

const digestsOf = async (set: string): Promise<string[]> => {
  const files = (await readdir(set)).sort();
  return Promise.all(
    files.map(
      async (file) =>
        `${file} ${createHash("sha256")
          .update(await readFile(join(set, file)))
          .digest("hex")}`,
    ),
  );
};
const setting = { seed: 5, count: 6 };

test("an image has the wanted size, two megapixels, and is the same again", patient, async () => {
  for (const wanted of [0.4e6, 0.5e6, 1e6, 1.5e6, 1.6e6]) {
    const image = await generateImage(9, 3, bytes(wanted));
    expect(Math.abs(image.length / wanted - 1)).toBeLessThanOrEqual(0.015);
    const { format, width, height } = await sharp(image).metadata();
    expect({ format, width, height }).toEqual({ format: "jpeg", width: 1600, height: 1200 });
  }
  expect(await generateImage(4, 8, bytes(7e5))).toEqual(await generateImage(4, 8, bytes(7e5)));
  expect(await generateImage(4, 8, bytes(7e5))).not.toEqual(await generateImage(4, 9, bytes(7e5)));
});

test("a class or a size that cannot be is a mistake", patient, async () => {
  await expect(generateImage(sceneLabels.length, 1, bytes(1e6))).rejects.toThrow(RangeError);
  await expect(generateImage(0, 1, bytes(1e4))).rejects.toThrow(RangeError);
  await expect(generateImage(0, 1, bytes(1e7))).rejects.toThrow(RangeError);
});

test("a set has sizes all over 0.5 to 1.5 MB, its classes in turn, and tells its progress", patient, async () => {
  const progress: string[] = [];
  const set = await imageSet(join(folder, "set"), setting, (done, total) => progress.push(`${done}/${total}`));
  expect(progress).toEqual(["1/6", "2/6", "3/6", "4/6", "5/6", "6/6"]);
  expect(set.images.map(({ label }) => label)).toEqual(sceneLabels.slice(0, 6));
  const sizes = set.images.map((image) => image.bytes).sort((a, b) => a - b);
  for (const [i, size] of sizes.entries()) {
    expect(size).toBeGreaterThanOrEqual(Math.max(0.5e6, 0.985 * (0.51e6 + (i / 6) * 0.965e6)));
    expect(size).toBeLessThanOrEqual(Math.min(1.5e6, 1.015 * (0.51e6 + ((i + 1) / 6) * 0.965e6)));
  }
  expect(await readImageSet(join(folder, "set"))).toEqual(set);
  const onDisk = await Promise.all(set.images.map(async ({ file }) => (await readFile(join(set.folder, file))).length));
  expect(onDisk).toEqual(set.images.map((image) => image.bytes));
});

test("the same seed gives the same files elsewhere, another seed others", patient, async () => {
  await imageSet(join(folder, "same"), setting);
  expect(await digestsOf(join(folder, "same"))).toEqual(await digestsOf(join(folder, "set")));
  await imageSet(join(folder, "same"), { seed: 6, count: 2 });
  const other = (await digestsOf(join(folder, "same"))).slice(0, 2);
  expect((await digestsOf(join(folder, "set"))).slice(0, 2)).not.toEqual(other);
  expect((await readImageSet(join(folder, "same"))).images.length).toBe(2);
});

test("a set that is there is kept; what is missing, cut short or changed is made again", patient, async () => {
  const set = join(folder, "set");
  const whole = await digestsOf(set);
  const written = (await stat(join(set, "images.json"))).mtimeMs;
  await imageSet(set, setting);
  expect((await stat(join(set, "images.json"))).mtimeMs).toBe(written);

  const [first, second, third] = (await readImageSet(set)).images.map(({ file }) => join(set, file)) as [
    string,
    string,
    string,
  ];
  await unlink(first);
  await expect(readImageSet(set)).rejects.toMatchObject({
    code: "config/invalid",
    message: expect.stringContaining(first),
  });
  await imageSet(set, setting);
  await truncate(second, 1000);
  await expect(readImageSet(set)).rejects.toMatchObject({
    code: "config/invalid",
    message: expect.stringContaining("got 1000"),
  });
  const content = await readFile(third);
  content[5000] = (content[5000] as number) ^ 1;
  await writeFile(third, content);
  await imageSet(set, setting);
  expect(await digestsOf(set)).toEqual(whole);

  await writeFile(join(set, "images.json"), "{");
  await expect(readImageSet(set)).rejects.toMatchObject({ code: "config/invalid" });
  await imageSet(set, setting);
  expect(await digestsOf(set)).toEqual(whole);
});

test("anybody's own images are a set, by name", patient, async () => {
  const own = await mkdtemp(join(folder, "own-"));
  await expect(readImageSet(own)).rejects.toMatchObject({
    code: "config/invalid",
    message: expect.stringContaining("empty folder"),
  });
  await writeFile(join(own, "notes.txt"), "cats");
  await expect(readImageSet(own)).rejects.toMatchObject({ code: "config/invalid" });
  const picture = sharp({ create: { width: 64, height: 48, channels: 3, background: "teal" } });
  const jpeg = await picture.clone().jpeg().toBuffer();
  const png = await picture.clone().png().toBuffer();
  await writeFile(join(own, "b.JPG"), jpeg);
  await writeFile(join(own, "c.png"), png);
  await writeFile(join(own, "a.jpeg"), jpeg);
  expect(await readImageSet(own)).toEqual({
    folder: own,
    images: [
      { file: "a.jpeg", bytes: jpeg.length, label: null },
      { file: "b.JPG", bytes: jpeg.length, label: null },
      { file: "c.png", bytes: png.length, label: null },
    ],
  });
  // Whole, but no upload could hold it.
  const large = Buffer.concat([jpeg, Buffer.alloc(2 ** 24 - jpeg.length)]);
  for (const [content, what] of [
    [Buffer.alloc(0), "0 bytes"],
    [Buffer.from("cats"), "JPEG or PNG"],
    [png.subarray(0, png.length / 2), "whole image"],
    [large, `got ${2 ** 24}`],
  ] as const) {
    await writeFile(join(own, "d.jpg"), content);
    await expect(readImageSet(own)).rejects.toMatchObject({
      code: "config/invalid",
      message: expect.stringMatching(new RegExp(`d\\.jpg: .*${what}`)),
    });
  }
  await expect(readImageSet(join(own, "nowhere"))).rejects.toMatchObject({ code: "config/invalid" });
});
