import type { RandomStream } from "@offloadlab/model";

/**
 * Distance from a point to the edge of what a scene shows, negative inside. Points and distances are in heights of the
 * picture, so that a scene looks the same at every resolution.
 */
export type Figure = (x: number, y: number) => number;

/** A figure about the origin, of about the given radius. */
type Outline = (radius: number) => Figure;

const circle: Outline = (radius) => (x, y) => Math.sqrt(x * x + y * y) - radius;

const ring: Outline = (radius) => (x, y) => Math.abs(Math.sqrt(x * x + y * y) - 0.78 * radius) - 0.2 * radius;

const box =
  (halfWidth: number, halfHeight: number): Figure =>
  (x, y) =>
    Math.max(Math.abs(x) - halfWidth, Math.abs(y) - halfHeight);

const square: Outline = (radius) => box(0.78 * radius, 0.78 * radius);

const cross: Outline = (radius) => {
  const across = box(radius, 0.3 * radius);
  return (x, y) => Math.min(across(x, y), across(y, x));
};

const triangle: Outline = (radius) => (x, y) => Math.max(-y, 0.866 * x + 0.5 * y, -0.866 * x + 0.5 * y) - 0.5 * radius;

const star: Outline = (radius) => {
  const sector = Math.PI / 5;
  // One edge, from a tip on the x axis to the dent half a sector further; every other edge is a mirror image of it.
  const dentX = 0.42 * radius * Math.cos(sector);
  const dentY = 0.42 * radius * Math.sin(sector);
  const length = Math.sqrt((radius - dentX) ** 2 + dentY ** 2);
  return (x, y) => {
    const angle = Math.abs(((Math.atan2(y, x) + 11 * sector) % (2 * sector)) - sector);
    const distance = Math.sqrt(x * x + y * y);
    return ((distance * Math.cos(angle) - radius) * dentY + distance * Math.sin(angle) * (radius - dentX)) / length;
  };
};

const placed = (figure: Figure, centreX: number, centreY: number, angle: number): Figure => {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  return (x, y) => figure(cos * (x - centreX) + sin * (y - centreY), cos * (y - centreY) - sin * (x - centreX));
};

/** The middle of a picture that is 4/3 as wide as high. */
const middleX = 2 / 3;
const middleY = 1 / 2;

/** One to three figures apart from each other, turned at will, inside the middle square of the picture. */
const several =
  (outline: Outline) =>
  (random: RandomStream): Figure => {
    const wanted = 1 + random.integer(3);
    const spots: { x: number; y: number; radius: number }[] = [];
    for (let attempt = 0; spots.length < wanted && attempt < 40; attempt++) {
      const radius = wanted === 1 ? random.uniform(0.2, 0.42) : random.uniform(0.16, 0.27);
      const x = middleX + random.uniform(-1, 1) * (0.5 - radius);
      const y = middleY + random.uniform(-1, 1) * (0.5 - radius);
      if (spots.every((s) => Math.hypot(s.x - x, s.y - y) > s.radius + radius)) spots.push({ x, y, radius });
    }
    const figures = spots.map(({ x, y, radius }) => placed(outline(radius), x, y, random.uniform(0, 2 * Math.PI)));
    return (x, y) => figures.reduce((nearest, figure) => Math.min(nearest, figure(x, y)), Number.POSITIVE_INFINITY);
  };

/** Distance to the nearest multiple of `period`. */
const fold = (value: number, period: number): number => Math.abs(value - period * Math.round(value / period));

const degrees = Math.PI / 180;

const stripes =
  (...angles: readonly number[]) =>
  (random: RandomStream): Figure => {
    const period = random.uniform(0.11, 0.3);
    const width = random.uniform(0.35, 0.65) * period;
    const angle = ((angles[random.integer(angles.length)] as number) + random.uniform(-9, 9)) * degrees;
    return placed((_, y) => fold(y, period) - width / 2, random.uniform(), random.uniform(), angle);
  };

const waves = (random: RandomStream): Figure => {
  const period = random.uniform(0.16, 0.27);
  const width = random.uniform(0.35, 0.6) * period;
  const amplitude = random.uniform(0.05, 0.08);
  const frequency = (2 * Math.PI) / random.uniform(0.28, 0.45);
  const wave: Figure = (x, y) => (fold(y + amplitude * Math.sin(frequency * x), period) - width / 2) * 0.7;
  return placed(wave, random.uniform(), random.uniform(), random.uniform(-15, 15) * degrees);
};

const checkerboard = (random: RandomStream): Figure => {
  const cell = random.uniform(0.1, 0.2);
  const board: Figure = (x, y) => {
    const nearest = Math.min(fold(x, cell), fold(y, cell));
    return (Math.floor(x / cell) + Math.floor(y / cell)) % 2 === 0 ? -nearest : nearest;
  };
  return placed(board, random.uniform(), random.uniform(), random.uniform(-20, 20) * degrees);
};

const dots = (random: RandomStream): Figure => {
  const spacing = random.uniform(0.15, 0.24);
  const radius = random.uniform(0.22, 0.34) * spacing;
  const grid: Figure = (x, y) => Math.sqrt(fold(x, spacing) ** 2 + fold(y, spacing) ** 2) - radius;
  return placed(grid, random.uniform(), random.uniform(), random.uniform(0, 90) * degrees);
};

/** The classes and how to draw one of each. The order is that of the embedded model's labels. */
export const figures: Readonly<Record<string, (random: RandomStream) => Figure>> = {
  circles: several(circle),
  squares: several(square),
  triangles: several(triangle),
  stars: several(star),
  crosses: several(cross),
  rings: several(ring),
  "horizontal-stripes": stripes(0),
  "vertical-stripes": stripes(90),
  "diagonal-stripes": stripes(45, -45),
  waves,
  checkerboard,
  dots,
};
