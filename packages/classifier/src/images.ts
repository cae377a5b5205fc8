import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type RandomStream, randomStream } from "@offloadlab/model";
import { type Bytes, bytes } from "@offloadlab/units";
import { photograph, sceneWidth } from "./camera.ts";
import { type ImageIndex, type ImageSet, indexName, readIndex, setOf } from "./image-set.ts";
import { drawScene, sceneLabels } from "./scene.ts";

/**
 * A photograph-like JPEG of a scene; the same arguments give the same bytes.
 *
 * @param classIndex index of its label in the embedded model's card
 * @param targetBytes the size that it has within 1.5 %: 0.4 to 1.6 MB
 */
export const generateImage = async (classIndex: number, seed: number, targetBytes: Bytes): Promise<Buffer> =>
  photograph(drawScene(classIndex, seed, sceneWidth), targetBytes, randomStream(seed, "camera", classIndex));

/**
 * Generates a set of images in a folder: their classes in turn, their sizes spread evenly over the 0.5 to 1.5 MB of §V-A.
 *
 * A set that is there already is kept; images of it that are missing or damaged are made again.
 *
 * @param onProgress called for each image with how many of how many are there
 */
export const imageSet = async (
  folder: string,
  { seed, count }: { readonly seed: number; readonly count: number },
  onProgress: (done: number, total: number) => void = () => {},
): Promise<ImageSet> => {
  if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`Expected at least 1 image, got ${count}`);
  await mkdir(folder, { recursive: true });
  // A damaged index is as good as none: it is written again.
  const found = await readIndex(folder).catch(() => undefined);
  const known = found?.seed === seed && found.images.length === count ? found.images : [];
  const random = randomStream(seed, "image set");
  const sizes = spread(count, random);
  const seeds = sizes.map(() => random.integer(2 ** 31));

  const images: ImageIndex["images"] = [];
  let changed = known.length === 0;
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      const classIndex = i % sceneLabels.length;
      const label = sceneLabels[classIndex] as string;
      const old = known[i];
      if (old !== undefined && (await isWhole(folder, old))) images[i] = old;
      else {
        const file = `${String(i).padStart(3, "0")}-${label}.jpg`;
        const image = await generateImage(classIndex, seeds[i] as number, sizes[i] as Bytes);
        await writeWhole(join(folder, file), image);
        images[i] = { file, bytes: image.length, label, sha256: digestOf(image) };
        changed = true;
      }
      onProgress(++done, count);
    }
  };
  // Three at a time keep two cores busy: drawing is on this thread, the encoding of JPEG is not.
  await Promise.all([work(), work(), work()]);
  const index: ImageIndex = { generator: 1, seed, images };
  if (changed) await writeWhole(join(folder, indexName), `${JSON.stringify(index, null, 2)}\n`);
  return setOf(folder, index);
};

/** Sizes with one in each of `count` equal parts of the range, in random order. */
const spread = (count: number, random: RandomStream): Bytes[] => {
  // As far inside 0.5 to 1.5 MB as a size may be off.
  const [least, most] = [0.51e6, 1.475e6];
  const sizes = Array.from({ length: count }, (_, i) =>
    bytes(Math.round(least + ((i + random.uniform()) / count) * (most - least))),
  );
  for (let i = count - 1; i > 0; i--) {
    const other = random.integer(i + 1);
    [sizes[i], sizes[other]] = [sizes[other] as Bytes, sizes[i] as Bytes];
  }
  return sizes;
};

const isWhole = async (folder: string, image: ImageIndex["images"][number]): Promise<boolean> => {
  const content = await readFile(join(folder, image.file)).catch(() => undefined);
  return content !== undefined && content.length === image.bytes && digestOf(content) === image.sha256;
};

const digestOf = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

/** Leaves the old file or the whole new one, also when two processes generate the same set. */
const writeWhole = async (file: string, content: Buffer | string): Promise<void> => {
  const part = `${file}.${process.pid}.part`;
  await writeFile(part, content);
  await rename(part, file);
};
