import { studentQuantile } from "./statistics.ts";

/** How measured values follow what a theory says of them: measured = slope · theory + error. */
export interface Slope {
  readonly slope: number;
  /** Of its 95 % Student-t interval; null from one pair. */
  readonly halfWidth: number | null;
  /** Standard deviation of the errors; null from one pair. */
  readonly deviation: number | null;
  readonly n: number;
}

/**
 * Least squares through the origin.
 *
 * @returns undefined without pairs, or when the theory says 0 of all
 */
export const slopeOf = (
  pairs: readonly { readonly theory: number; readonly measured: number }[],
): Slope | undefined => {
  const n = pairs.length;
  const sum = (term: (x: number, y: number) => number): number =>
    pairs.reduce((total, { theory, measured }) => total + term(theory, measured), 0);
  const squares = sum((x) => x * x);
  if (!(squares > 0)) return undefined;
  const slope = sum((x, y) => x * y) / squares;
  if (n < 2) return { slope, halfWidth: null, deviation: null, n };
  const deviation = Math.sqrt(sum((x, y) => (y - slope * x) ** 2) / (n - 1));
  return { slope, halfWidth: (studentQuantile(0.975, n - 1) * deviation) / Math.sqrt(squares), deviation, n };
};

/** The same for a sum of two parts, each with a slope of its own: measured = a · first + b · second + error. */
export const slopesOf = (
  triples: readonly { readonly first: number; readonly second: number; readonly measured: number }[],
): readonly [Slope, Slope] | undefined => {
  const n = triples.length;
  const sum = (term: (x: number, z: number, y: number) => number): number =>
    triples.reduce((total, { first, second, measured }) => total + term(first, second, measured), 0);
  const [xx, zz, xz] = [sum((x) => x * x), sum((_, z) => z * z), sum((x, z) => x * z)];
  const determinant = xx * zz - xz * xz;
  // Parts that always go together cannot be told apart.
  if (n < 3 || !(determinant > 1e-9 * xx * zz)) return undefined;
  const [xy, zy] = [sum((x, _, y) => x * y), sum((_, z, y) => z * y)];
  const a = (zz * xy - xz * zy) / determinant;
  const b = (xx * zy - xz * xy) / determinant;
  const deviation = Math.sqrt(sum((x, z, y) => (y - a * x - b * z) ** 2) / (n - 2));
  const quantile = studentQuantile(0.975, n - 2);
  const slope = (value: number, variance: number): Slope => ({
    slope: value,
    halfWidth: quantile * deviation * Math.sqrt(variance / determinant),
    deviation,
    n,
  });
  return [slope(a, zz), slope(b, xx)];
};
