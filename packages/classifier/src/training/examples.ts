import { type RandomStream, randomStream } from "@offloadlab/model";
import sharp from "sharp";
import type { Card } from "../card.ts";
import { decodeImage } from "../decode.ts";
import { drawScene, type Picture } from "../scene.ts";
import type { Example } from "./learn.ts";

/**
 * What `decodeImage` sees of a full frame after JPEG has given it an eighth of its size: drawn at that size, with the little
 * noise that such an average leaves. Some hundred times faster than a frame.
 */
export const smallExample = async (label: number, seed: number, card: Card): Promise<Example> => {
  const { width, height, pixels } = withNoise(drawScene(label, seed, 200), randomStream(seed, "noise"));
  const file = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
  return { tensor: await decodeImage(file, card), label };
};

const withNoise = (picture: Picture, random: RandomStream): Picture => {
  const amplitude = random.uniform(0, 6);
  return { ...picture, pixels: picture.pixels.map((value) => value + random.uniform(-amplitude, amplitude)) };
};
