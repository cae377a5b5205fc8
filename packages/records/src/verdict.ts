import { pairedDifferences } from "./paired-differences.ts";
import type { Estimate } from "./statistics.ts";
import { asEstimate, type SweepMetric } from "./sweep-metrics.ts";
import type { EpochSums } from "./sweep-rows.ts";

/** Whether something is so, as far as a difference and its interval tell. */
export type Verdict = "holds" | "does not hold" | "cannot be told";

/** Whether a difference is above 0: the whole of its 95 % interval has to be on one side. */
export const verdictOn = ({ mean, halfWidth }: Estimate): Verdict => {
  if (mean === null || halfWidth === null) return "cannot be told";
  if (mean - halfWidth > 0) return "holds";
  return mean + halfWidth < 0 ? "does not hold" : "cannot be told";
};

/**
 * The first policy's metric minus the second's, paired by repetition.
 *
 * @param sums of one point
 * @param community `all` for all together
 * @throws RangeError when the two did not run the same repetitions
 */
export const differenceOf = (
  sums: readonly EpochSums[],
  metric: SweepMetric["key"],
  [first, second]: readonly [string, string],
  community = "all",
): Estimate => {
  const ordered = [first, second].flatMap((policy) => sums.filter((each) => each.policy === policy));
  const row = pairedDifferences(ordered).find((each) => each.community === community);
  return row === undefined ? { mean: null, halfWidth: null, n: 0 } : asEstimate(row[metric]);
};
