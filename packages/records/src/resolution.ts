import type { DifferenceRow } from "./paired-differences.ts";
import { asEstimate, sweepMetricList } from "./sweep-metrics.ts";

/** What a comparison can be asked to resolve, by the word for it on a command line. */
export const resolvable = {
  success: "successRatio",
  energy: "energyJoules",
  waiting: "waitingSeconds",
  reward: "rewardPerTask",
} as const;
export type Resolvable = keyof typeof resolvable;

/** How precisely differences between policies shall be known. */
export interface Resolution {
  readonly metric: Resolvable;
  /** Half width of the 95 % interval of a difference. */
  readonly halfWidth: number;
}

/** How many repetitions a wanted resolution takes, and which difference takes them. */
export interface Sizing {
  readonly repetitions: number;
  readonly policy: string;
  readonly other: string;
  readonly resolution: Resolution;
  /** Of that difference in the pilot. */
  readonly pilotHalfWidth: number;
  /** Pairs of the pilot. */
  readonly n: number;
}

/**
 * The repetitions after which every difference is known as precisely as is wanted: n (h / w)² of a pilot of n pairs with
 * the half width h, which its own t quantile is in (Stein, Ann. Math. Stat. 16(3), 1945). The mean of so many new pairs is
 * within w of the truth in at least 95 % of cases, however rough the pilot; the rougher it is, the more pairs that takes.
 *
 * @param pilot differences whose pairs are not used again
 * @returns what the difference that takes most needs, and no less than the pilot; null where the pilot has fewer than two pairs
 */
export const repetitionsFor = (pilot: readonly DifferenceRow[], resolutions: readonly Resolution[]): Sizing | null => {
  const sizings = pilot
    .filter(({ community }) => community === "all")
    .flatMap((row) =>
      resolutions.map((resolution): Sizing | null => {
        const { halfWidth, n } = asEstimate(row[resolvable[resolution.metric]]);
        if (halfWidth === null) return null;
        const repetitions = Math.max(n, Math.ceil(n * (halfWidth / resolution.halfWidth) ** 2));
        return { repetitions, policy: row.policy, other: row.other, resolution, pilotHalfWidth: halfWidth, n };
      }),
    );
  return sizings.reduce(
    (most, each) => (most === null || each === null || most.repetitions >= each.repetitions ? most : each),
    sizings.includes(null) ? null : (sizings[0] ?? null),
  );
};

/** The difference that is known least precisely beside what is wanted of it. */
export const reachedText = (rows: readonly DifferenceRow[], resolutions: readonly Resolution[]): string[] =>
  resolutions.map((resolution) => {
    const halfWidths = rows
      .filter(({ community }) => community === "all")
      .map((row) => asEstimate(row[resolvable[resolution.metric]]).halfWidth ?? Number.POSITIVE_INFINITY);
    const worst = Math.max(...halfWidths);
    const verdict = worst <= resolution.halfWidth ? "reached" : "not reached";
    return `${resolution.metric}: wanted ± ${resolution.halfWidth}, ${verdict}: the widest of ${halfWidths.length} is ± ${worst.toPrecision(3)}`;
  });

/** What a pilot asks for, with `digits` of its metric. */
export const sizingText = ({ repetitions, policy, other, resolution, pilotHalfWidth, n }: Sizing): string => {
  const { metric, halfWidth } = resolution;
  const digits = sweepMetricList.find(({ key }) => key === resolvable[metric])?.digits ?? 3;
  const pilot = `${metric} of ${policy} - ${other} is known to ± ${pilotHalfWidth.toFixed(digits + 1)} from ${n} pairs`;
  return `pilot: ${pilot}; ± ${halfWidth} takes ${repetitions} repetitions`;
};
