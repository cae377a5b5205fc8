import { randomStream } from "@offloadlab/model";
import { studentQuantile, studentTwoSided } from "./statistics.ts";

/** Lower and upper end of a 95 % interval; null for fewer than two values. */
export type IntervalOf = (values: readonly number[]) => readonly [number, number] | null;

/**
 * Bootstrap of a mean, with wider percentiles for fewer values (Hesterberg, The American Statistician 69(4), 2015, §5.3):
 * plain ones would be too narrow by √((n - 1) / n), and as if the deviation were known.
 *
 * The draws depend on the seed and on how many values there are, not on what was asked before; they are kept, so many
 * means of equally many values cost little more than their additions.
 *
 * @param resampleCount how often values are drawn with replacement; 1000 is coarse, beyond 10,000 nothing changes
 */
export const bootstrap = (seed: number, resampleCount = 4000): IntervalOf =>
  intervals(seed, resampleCount, (size) => normalTail(Math.sqrt(size / (size - 1)) * studentQuantile(0.975, size - 1)));

/** The same with the plain percentiles: between which means 95 % of all resamples lie. Too narrow for few values. */
export const percentileBootstrap = (seed: number, resampleCount = 4000): IntervalOf =>
  intervals(seed, resampleCount, () => 0.025);

/** P(Z >= z) of the normal distribution, as the limit of Student's. */
const normalTail = (z: number): number => studentTwoSided(z, 1e8) / 2;

/** @param tailOf what of the resamples is left out at either end, by the number of values */
const intervals = (seed: number, resampleCount: number, tailOf: (size: number) => number): IntervalOf => {
  if (!Number.isInteger(resampleCount) || resampleCount < 1) {
    throw new RangeError(`Expected a number of resamples of at least 1, got ${resampleCount}`);
  }
  const draws = new Map<number, Uint32Array>();
  const tails = new Map<number, number>();
  const tailFor = (size: number): number => {
    const tail = tails.get(size) ?? tailOf(size);
    tails.set(size, tail);
    return tail;
  };
  const drawsFor = (size: number): Uint32Array => {
    const kept = draws.get(size);
    if (kept !== undefined) return kept;
    const random = randomStream(seed, "bootstrap", size);
    const drawn = Uint32Array.from({ length: resampleCount * size }, () => random.integer(size));
    draws.set(size, drawn);
    return drawn;
  };
  return (values) => {
    const size = values.length;
    if (size < 2) return null;
    const drawn = drawsFor(size);
    const means = new Float64Array(resampleCount);
    for (let resample = 0; resample < resampleCount; resample += 1) {
      let sum = 0;
      for (let i = resample * size; i < (resample + 1) * size; i += 1) sum += values[drawn[i] as number] as number;
      means[resample] = sum / size;
    }
    means.sort();
    const tail = tailFor(size);
    return [quantile(means, tail), quantile(means, 1 - tail)];
  };
};

/** Interpolated between neighbours (Hyndman & Fan 1996, definition 7). */
const quantile = (sorted: Float64Array, probability: number): number => {
  const place = probability * (sorted.length - 1);
  const below = sorted[Math.floor(place)] as number;
  const above = sorted[Math.ceil(place)] as number;
  return below + (place - Math.floor(place)) * (above - below);
};
