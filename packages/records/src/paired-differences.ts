import { isSuccess, outcomes } from "@offloadlab/model";
import { bootstrap } from "./bootstrap.ts";
import { estimate } from "./statistics.ts";
import { asEstimate, sweepMetricList } from "./sweep-metrics.ts";
import type { EpochSums, SweepEstimate, SweepRow } from "./sweep-rows.ts";
import { formatEstimate } from "./table.ts";
import { alignedLines } from "./text-columns.ts";

type Metric = Exclude<keyof SweepRow, "policy" | "variables" | "community">;

/** What a policy has more than another one, over trials with the same arrivals, in one community or in `all`. */
export interface DifferenceRow extends Readonly<Record<Metric, SweepEstimate>> {
  readonly policy: string;
  readonly other: string;
  readonly community: string;
}

/** What stands behind the numbers of a table of differences. */
export const differenceCaption =
  "mean difference ± half width of its 95 % Student-t interval over n pairs of trials with the same arrivals; * where the interval leaves out 0, not adjusted for the number of pairs";

const bootstrapSeed = 1;

/**
 * Compares every policy with every other one, trial by trial: what the arrivals do to both cancels out.
 *
 * @param sums of trials that are paired by their repetition, at one combination of loop values
 * @throws RangeError when two policies did not run the same repetitions
 */
export const pairedDifferences = (sums: readonly EpochSums[]): DifferenceRow[] => {
  const policies = [...new Set(sums.map(({ policy }) => policy))];
  const communities = ["all", ...new Set(sums.map(({ community }) => community))];
  const intervalOf = bootstrap(bootstrapSeed);
  const over = (values: readonly number[]): SweepEstimate => {
    const { mean, halfWidth, n } = estimate(values);
    const interval = mean === null || halfWidth === null ? null : ([mean - halfWidth, mean + halfWidth] as const);
    return { mean, interval, bootstrapInterval: intervalOf(values), n };
  };
  return policies.flatMap((policy, index) =>
    policies.slice(index + 1).flatMap((other) =>
      communities.map((community) => {
        const [own, others] = [policy, other].map((name) => trialsOf(sums, name, community));
        const pairs = pairsOf(own as Trials, others as Trials, policy, other);
        const differences = sweepMetricList.map(({ key }) => [key, over(pairs.map(([a, b]) => a[key] - b[key]))]);
        return { policy, other, community, ...(Object.fromEntries(differences) as Record<Metric, SweepEstimate>) };
      }),
    ),
  );
};

/** What each repetition came to. */
type Trials = ReadonlyMap<number, Readonly<Record<Metric, number>>>;

const trialsOf = (sums: readonly EpochSums[], policy: string, community: string): Trials => {
  const parts = new Map<number, EpochSums[]>();
  for (const each of sums) {
    if (each.policy !== policy || (community !== "all" && each.community !== community)) continue;
    parts.set(each.repetition, [...(parts.get(each.repetition) ?? []), each]);
  }
  return new Map([...parts].map(([repetition, own]) => [repetition, metricsOf(own)]));
};

const metricsOf = (parts: readonly EpochSums[]): Record<Metric, number> => {
  const total = (of: (sums: EpochSums) => number): number => parts.reduce((sum, part) => sum + of(part), 0);
  const tasks = total((sums) => sums.tasks);
  const successes = total((sums) =>
    outcomes.filter(isSuccess).reduce((sum, outcome) => sum + sums.outcomes[outcome], 0),
  );
  const reward = total((sums) => sums.reward);
  return {
    successRatio: successes / tasks,
    energyJoules: total(({ energyJoules }) => energyJoules) / tasks,
    waitingSeconds: total(({ waitingSeconds }) => waitingSeconds) / tasks,
    rewardPerTask: reward / tasks,
    rewardPerEpoch: reward / parts.length,
  };
};

const pairsOf = (own: Trials, others: Trials, policy: string, other: string) => {
  const missing = [...own.keys()].find((repetition) => !others.has(repetition));
  if (missing !== undefined || own.size !== others.size) {
    throw new RangeError(
      `Expected ${policy} and ${other} to have run the same repetitions, got ${own.size} and ${others.size}`,
    );
  }
  // A repetition without tasks says nothing about a task.
  return [...own]
    .map(([repetition, metrics]) => [metrics, others.get(repetition) as Record<Metric, number>] as const)
    .filter((pair) => pair.every(({ successRatio }) => Number.isFinite(successRatio)));
};

/** Differences over all communities as text, a line for each pair of policies. */
export const differenceTable = (rows: readonly DifferenceRow[]): string => {
  const cells = [
    ["difference", ...sweepMetricList.map(({ heading }) => heading), "n"],
    ...rows
      .filter(({ community }) => community === "all")
      .map((row) => [
        `${row.policy} - ${row.other}`,
        ...sweepMetricList.map(({ key, digits }) => withMark(row[key], digits)),
        String(row.rewardPerEpoch.n),
      ]),
  ];
  const [heading = "", ...lines] = alignedLines(cells, 1);
  const rule = "-".repeat(Math.max(heading.length, ...lines.map(({ length }) => length)));
  return [heading, rule, ...lines, rule, differenceCaption].join("\n");
};

const withMark = (difference: SweepEstimate, digits: number): string =>
  `${formatEstimate(asEstimate(difference), digits)}${isFromZero(difference) ? "*" : " "}`;

const isFromZero = ({ interval }: SweepEstimate): boolean => interval !== null && (interval[0] > 0 || interval[1] < 0);
