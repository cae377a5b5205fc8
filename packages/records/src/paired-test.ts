import { logGamma, studentTwoSided } from "./statistics.ts";

/** What a paired t-test says of differences between trials with the same arrivals. */
export interface PairedTest {
  /** Two-sided, of a mean difference of 0; null for fewer than two pairs. */
  readonly pValue: number | null;
  /**
   * Hedges' g_z: the mean difference over the standard deviation of the differences, without the bias that d_z has for
   * few pairs; null for fewer than three, or where they do not deviate.
   */
  readonly effectSize: number | null;
}

/** Deviations that are only rounding are none. */
const rounding = 1e-12;

/** Student's t-test of pairs; pairs that all differ by the same have a p of 0, or of 1 where that is no difference. */
export const pairedTest = (differences: readonly number[]): PairedTest => {
  const n = differences.length;
  if (n < 2) return { pValue: null, effectSize: null };
  const mean = differences.reduce((sum, value) => sum + value, 0) / n;
  const deviation = Math.sqrt(differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  if (deviation <= rounding * Math.abs(mean)) return { pValue: mean === 0 ? 1 : 0, effectSize: null };
  const standardised = mean / deviation;
  return {
    pValue: studentTwoSided(standardised * Math.sqrt(n), n - 1),
    effectSize: n < 3 ? null : smallSampleFactor(n - 1) * standardised,
  };
};

/** J: what a standardised mean is multiplied by to be unbiased (Hedges, J. Educ. Stat. 6(2), 1981, Eq. 6e). */
const smallSampleFactor = (freedom: number): number =>
  Math.exp(logGamma(freedom / 2) - logGamma((freedom - 1) / 2)) / Math.sqrt(freedom / 2);

/**
 * p-values of several tests, raised so that the probability of any false alarm among them stays what each promised
 * (Holm, Scand. J. Stat. 6, 1979); null stays null and does not count.
 */
export const holmAdjusted = (pValues: readonly (number | null)[]): (number | null)[] => {
  const known = pValues.flatMap((value, index) => (value === null ? [] : [{ value, index }]));
  known.sort((a, b) => a.value - b.value);
  const adjusted: (number | null)[] = pValues.map(() => null);
  let highest = 0;
  for (const [rank, { value, index }] of known.entries()) {
    highest = Math.max(highest, Math.min(1, value * (known.length - rank)));
    adjusted[index] = highest;
  }
  return adjusted;
};
