import { randomStream } from "@offloadlab/model";

/** Lower and upper end of a 95 % interval; null for fewer than two values. */
export type IntervalOf = (values: readonly number[]) => readonly [number, number] | null;

/**
 * Percentile bootstrap of a mean: between which means 95 % of all resamples lie.
 *
 * The draws depend on the seed and on how many values there are, not on what was asked before; they are kept, so many
 * means of equally many values cost little more than their additions.
 *
 * @param resampleCount how often values are drawn with replacement; 1000 is coarse, beyond 10,000 nothing changes
 */
export const bootstrap = (seed: number, resampleCount = 4000): IntervalOf => {
  if (!Number.isInteger(resampleCount) || resampleCount < 1) {
    throw new RangeError(`Expected a number of resamples of at least 1, got ${resampleCount}`);
  }
  const draws = new Map<number, Uint32Array>();
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
    return [quantile(means, 0.025), quantile(means, 0.975)];
  };
};

/** Interpolated between neighbours (Hyndman & Fan 1996, definition 7). */
const quantile = (sorted: Float64Array, probability: number): number => {
  const place = probability * (sorted.length - 1);
  const below = sorted[Math.floor(place)] as number;
  const above = sorted[Math.ceil(place)] as number;
  return below + (place - Math.floor(place)) * (above - below);
};
