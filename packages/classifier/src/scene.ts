import { type RandomStream, randomStream } from "@offloadlab/model";
import { type Figure, figures } from "./shapes.ts";

/** Names of the classes of generated images. */
export const sceneLabels: readonly string[] = Object.keys(figures);

/** A picture without alpha. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3], row-major. */
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
}

type Colour = readonly [number, number, number];

/**
 * Draws a scene of a class: figures of one colour before a background that runs from one colour to another, lit
 * from one side, dimmer towards the corners.
 *
 * @param width of the picture, which is 3/4 as high
 */
export const drawScene = (classIndex: number, seed: number, width: number): Picture => {
  const label = sceneLabels[classIndex];
  const drawn = label === undefined ? undefined : figures[label];
  if (drawn === undefined)
    throw new RangeError(`Expected a class from 0 to ${sceneLabels.length - 1}, got ${classIndex}`);
  const random = randomStream(seed, "scene", classIndex);
  return render(drawn(random), random, width);
};

const render = (figure: Figure, random: RandomStream, width: number): Picture => {
  const height = Math.round(width * 0.75);
  const [front, from, to] = palette(random);
  const run = direction(random, 1);
  const light = direction(random, random.uniform(0, 0.35));
  const vignette = random.uniform(0, 0.5);
  const texture = cloth(random);
  // Half the width of an edge: from sharp to a little out of focus.
  const softness = random.uniform(0.002, 0.008);

  const pixels = new Uint8ClampedArray(width * height * 3);
  let i = 0;
  for (let row = 0; row < height; row++) {
    const y = (row + 0.5) / height;
    for (let column = 0; column < width; column++) {
      const x = (column + 0.5) / height;
      const covered = Math.min(1, Math.max(0, 0.5 - figure(x, y) / (2 * softness)));
      const along = Math.min(1, Math.max(0, 0.5 + run(x, y)));
      const corner = (x - 2 / 3) ** 2 + (y - 1 / 2) ** 2;
      const brightness = (1 + light(x, y) + texture(x, y)) * (1 - vignette * corner);
      for (let channel = 0; channel < 3; channel++) {
        const back = (from[channel] as number) * (1 - along) + (to[channel] as number) * along;
        pixels[i++] = 255 * brightness * (back + covered * ((front[channel] as number) - back));
      }
    }
  }
  return { width, height, pixels };
};

/** A gradient through the middle of the picture, its slope in a random direction. */
const direction = (random: RandomStream, slope: number): Figure => {
  const angle = random.uniform(0, 2 * Math.PI);
  const alongX = slope * Math.cos(angle);
  const alongY = slope * Math.sin(angle);
  return (x, y) => alongX * (x - 2 / 3) + alongY * (y - 1 / 2);
};

/** A faint unevenness, as of cloth or plaster. */
const cloth = (random: RandomStream): Figure => {
  const waves = [0, 1, 2].map(() => ({
    along: direction(random, random.uniform(10, 60)),
    height: random.uniform(0, 0.03),
  }));
  return (x, y) => waves.reduce((sum, { along, height }) => sum + height * Math.sin(along(x, y)), 0);
};

/** A foreground and both ends of a background; in brightness the foreground stands out from both. */
const palette = (random: RandomStream): readonly [Colour, Colour, Colour] => {
  const colour = (): Colour => [random.uniform(0.04, 0.96), random.uniform(0.04, 0.96), random.uniform(0.04, 0.96)];
  for (;;) {
    const drawn = [colour(), colour(), colour()] as const;
    const [front, from, to] = drawn.map(brightnessOf) as [number, number, number];
    const contrast = Math.min(Math.abs(front - from), Math.abs(front - to));
    if (contrast > 0.25 && front < from === front < to) return drawn;
  }
};

/** Rec. 601 luma, as in JPEG. */
const brightnessOf = ([red, green, blue]: Colour): number => 0.299 * red + 0.587 * green + 0.114 * blue;
