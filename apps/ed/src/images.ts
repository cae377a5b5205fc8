import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ImageSet } from "@offloadlab/classifier";

/** The bytes of one image of a set. */
export const readImage = (set: ImageSet, index: number): Promise<Buffer> => {
  const image = set.images[index];
  if (image === undefined) throw new RangeError(`Expected an image below ${set.images.length}, got ${index}`);
  return readFile(join(set.folder, image.file));
};
