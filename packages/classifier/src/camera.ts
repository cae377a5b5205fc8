import type { RandomStream } from "@offloadlab/model";
import type { Bytes } from "@offloadlab/units";
import sharp from "sharp";
import type { Picture } from "./scene.ts";

/** A frame of two megapixels. */
const frame = { width: 1600, height: 1200 };
/** How many pixels of a frame one pixel of a drawn scene becomes, in each direction. */
const enlargement = 4;
/** The width of the scenes that can be photographed. */
export const sceneWidth = frame.width / enlargement;

const quality = 97;
const tolerance = 0.015;
/** Standard deviation of a noise that still leaves a picture. */
const strongest = 40;

/**
 * A scene as a camera takes it: a JPEG of two megapixels with the noise of a sensor, as strong as it must be for the file
 * to have the wanted size within 1.5 %.
 *
 * @param wanted 0.4 to 1.6 MB suit every scene
 * @throws RangeError when no noise of a camera gives this size
 */
export const photograph = async (scene: Picture, wanted: Bytes, random: RandomStream): Promise<Buffer> => {
  const clean = enlarge(scene);
  const grain = grainOf(random);
  const starts = Array.from({ length: frame.height }, () => random.integer(grainSize));
  let level = typicalNoise(wanted);
  for (let attempt = 0; attempt < 8; attempt++) {
    const file = await encode(expose(clean, grain, starts, level));
    if (Math.abs(file.length / wanted - 1) <= tolerance) return file;
    // What a scene adds to the size of its noise hardly depends on the noise.
    const next = typicalNoise(wanted - (file.length - typicalSize(level)));
    if (next === level) break;
    level = next;
  }
  throw new RangeError(`Expected a size that a camera's noise can give, got ${wanted} bytes`);
};

/** What frames measure in bytes at some levels of noise (standard deviation, in steps of 8-bit white), on average over the scenes. */
const typical: readonly (readonly [level: number, size: number])[] = [
  [0.5, 0.21e6],
  [1, 0.27e6],
  [2, 0.39e6],
  [3, 0.51e6],
  [4, 0.62e6],
  [6, 0.8e6],
  [8, 0.94e6],
  [11, 1.1e6],
  [15, 1.25e6],
  [20, 1.39e6],
  [27, 1.54e6],
  [36, 1.67e6],
];

/** The two entries that a value lies between; the first or last two when it lies beyond the table. */
const around = (value: number, column: 0 | 1) => {
  const above = typical.findIndex((entry) => entry[column] > value);
  const end = above === -1 ? typical.length - 1 : Math.max(1, above);
  return [typical[end - 1], typical[end]] as [readonly [number, number], readonly [number, number]];
};

const typicalSize = (level: number): number => {
  const [[low, small], [high, large]] = around(level, 0);
  return small + ((level - low) / (high - low)) * (large - small);
};

const typicalNoise = (size: number): number => {
  const [[low, small], [high, large]] = around(size, 1);
  return Math.min(strongest, Math.max(0, low + ((size - small) / (large - small)) * (high - low)));
};

const encode = (pixels: Uint8ClampedArray): Promise<Buffer> =>
  sharp(pixels, { raw: { ...frame, channels: 3 } })
    .jpeg({ quality })
    .toBuffer();

/**
 * Bilinear, to the size of a frame, in integers: pixel centres of the frame lie 1/8, 3/8, 5/8 and 7/8 between those of
 * the scene.
 *
 * @returns [height, width, 3]
 */
const enlarge = ({ width, height, pixels }: Picture): Uint8Array<ArrayBuffer> => {
  if (width * enlargement !== frame.width || height * enlargement !== frame.height) {
    throw new RangeError(`Expected a scene ${sceneWidth} pixels wide, got ${width} x ${height}`);
  }
  const enlarged = new Uint8Array(frame.width * frame.height * 3);
  // One scene row with its first and last pixel repeated.
  const line = new Int32Array((width + 2) * 3);
  let target = 0;
  for (let y = 0; y < frame.height; y++) {
    const above = Math.floor((y - 2) / enlargement);
    const top = Math.max(0, above) * width * 3;
    const bottom = Math.min(height - 1, above + 1) * width * 3;
    const down = 2 * ((y + 2) % enlargement) + 1;
    for (let i = 0; i < width * 3; i++) {
      line[i + 3] = (pixels[top + i] as number) * (8 - down) + (pixels[bottom + i] as number) * down;
    }
    line.copyWithin(0, 3, 6);
    line.copyWithin((width + 1) * 3, width * 3, (width + 1) * 3);
    for (let x = 0; x < frame.width; x++) {
      const left = ((x + 2) >> 2) * 3;
      const along = 2 * ((x + 2) & 3) + 1;
      const rest = 8 - along;
      enlarged[target] = ((line[left] as number) * rest + (line[left + 3] as number) * along + 32) >> 6;
      enlarged[target + 1] = ((line[left + 1] as number) * rest + (line[left + 4] as number) * along + 32) >> 6;
      enlarged[target + 2] = ((line[left + 2] as number) * rest + (line[left + 5] as number) * along + 32) >> 6;
      target += 3;
    }
  }
  return enlarged;
};

const grainSize = 1 << 16;
const grainDeviation = 30;

/** Gaussian noise, read again from another place for every row of a frame; twice, so that no row runs over its end. */
const grainOf = (random: RandomStream): Int8Array => {
  const grain = new Int8Array(2 * grainSize);
  const clamped = (value: number): number => Math.max(-127, Math.min(127, Math.round(value)));
  for (let i = 0; i < grainSize; i += 2) {
    // Box and Muller's transform; the logarithm's argument is never 0.
    const distance = grainDeviation * Math.sqrt(-2 * Math.log(1 - random.uniform()));
    const angle = 2 * Math.PI * random.uniform();
    grain[i] = clamped(distance * Math.cos(angle));
    grain[i + 1] = clamped(distance * Math.sin(angle));
  }
  grain.copyWithin(grainSize, 0, grainSize);
  return grain;
};

/** Adds the grain, in fixed point; light comes in photons, so the noise grows with the root of the brightness. */
const expose = (clean: Uint8Array, grain: Int8Array, starts: readonly number[], level: number): Uint8ClampedArray => {
  const gains = Int32Array.from({ length: 256 }, (_, value) =>
    Math.round((4096 * level * Math.sqrt(0.2 + (0.8 * value) / 255)) / grainDeviation),
  );
  const exposed = new Uint8ClampedArray(clean.length);
  const rowLength = frame.width * 3;
  for (let row = 0, i = 0; row < frame.height; row++) {
    let at = starts[row] as number;
    for (const end = i + rowLength; i < end; i++) {
      const value = clean[i] as number;
      exposed[i] = value + (((gains[value] as number) * (grain[at++] as number) + 2048) >> 12);
    }
  }
  return exposed;
};
