import { Failure, messageOf } from "@offloadlab/protocol";
import sharp from "sharp";
import type { Card } from "./card.ts";

const channels = 3;

/** In pixels. */
interface Size {
  readonly width: number;
  readonly height: number;
}

// One image at a time and nothing kept: a device has other work for its cores and its memory.
sharp.concurrency(1);
sharp.cache(false);

/** No camera of these devices has more; a bomb claims more in a few bytes. */
const largestPixels = 100_000_000;

/**
 * An image file as the model's input tensor, centre-cropped to the model's aspect ratio.
 *
 * @returns [1, 3, height, width] or [1, height, width, 3] as the card says, row-major
 * @throws Failure `image/unreadable` when the bytes are no JPEG or PNG, are cut short, or hold more than 100 megapixels
 */
export const decodeImage = async (bytes: Uint8Array, card: Card): Promise<Float32Array<ArrayBuffer>> =>
  normalised(await decodePixels(bytes, card.input), card);

/**
 * An image file in sRGB, centre-cropped and scaled to a size.
 *
 * Runs off the event loop. JPEGs are decoded at the smallest of their scales that is large enough.
 *
 * @returns [height, width, 3], row-major
 * @throws Failure `image/unreadable` when the bytes are no JPEG or PNG, are cut short, or hold more than 100 megapixels
 */
export const decodePixels = async (bytes: Uint8Array, { width, height }: Size): Promise<Buffer> => {
  if (!isJpeg(bytes) && !isPng(bytes)) {
    throw new Failure(
      "image/unreadable",
      `Expected a JPEG or PNG image, got ${bytes.length} bytes that begin with ${beginning(bytes)}`,
    );
  }
  return sharp(bytes, { limitInputPixels: largestPixels, failOn: "error" })
    .autoOrient()
    .resize(width, height, { fit: "cover" })
    .flatten()
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer()
    .catch((error: unknown) => {
      throw new Failure(
        "image/unreadable",
        `Expected a whole image of at most ${largestPixels / 1e6} megapixels, ${messageOf(error)}`,
        { cause: error },
      );
    });
};

const isJpeg = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;

const isPng = (bytes: Uint8Array): boolean => [0x89, 0x50, 0x4e, 0x47].every((byte, i) => bytes[i] === byte);

const beginning = (bytes: Uint8Array): string => `0x${Buffer.from(bytes.subarray(0, 4)).toString("hex")}`;

const normalised = (
  pixels: Uint8Array,
  { input: { width, height, layout, scale, mean, std } }: Card,
): Float32Array<ArrayBuffer> => {
  const area = width * height;
  const tensor = new Float32Array(channels * area);
  for (let channel = 0; channel < channels; channel++) {
    const offset = mean[channel] as number;
    const divisor = std[channel] as number;
    for (let i = 0; i < area; i++) {
      const source = i * channels + channel;
      const target = layout === "nchw" ? channel * area + i : source;
      tensor[target] = ((pixels[source] as number) * scale - offset) / divisor;
    }
  }
  return tensor;
};
