import { isSuccess, outcomes } from "@offloadlab/model";
import { bootstrap, type IntervalOf } from "./bootstrap.ts";
import { holmAdjusted, type PairedTest, pairedTest } from "./paired-test.ts";
import { estimate } from "./statistics.ts";
import { sweepMetricList } from "./sweep-metrics.ts";
import type { EpochSums, SweepEstimate, SweepRow } from "./sweep-rows.ts";

type Metric = Exclude<keyof SweepRow, "policy" | "variables" | "community">;

/** A mean difference with its intervals, and whether it could as well be none. */
export interface Difference extends SweepEstimate, PairedTest {
  /** Holm's, over all pairs of policies. */
  readonly adjustedPValue: number | null;
}

/** What a policy has more than another one, over trials with the same arrivals, in one community or in `all`. */
export interface DifferenceRow extends Readonly<Record<Metric, Difference>> {
  readonly policy: string;
  readonly other: string;
  readonly community: string;
}

/** What of a trial and community is compared, in the simulator and in a laboratory. */
export type PairedSums = Pick<
  EpochSums,
  "policy" | "repetition" | "community" | "tasks" | "outcomes" | "reward" | "energyJoules" | "waitingSeconds"
>;

const bootstrapSeed = 1;

/**
 * Compares every policy with every other one, trial by trial: what the arrivals do to both cancels out.
 *
 * @param sums of trials that are paired by their repetition, at one combination of loop values
 * @param intervalOf the bootstrap; one for many comparisons draws once
 * @throws RangeError when two policies did not run the same repetitions
 */
export const pairedDifferences = (
  sums: readonly PairedSums[],
  intervalOf: IntervalOf = bootstrap(bootstrapSeed),
): DifferenceRow[] => {
  const policies = [...new Set(sums.map(({ policy }) => policy))];
  const communities = ["all", ...new Set(sums.map(({ community }) => community))];
  const over = (values: readonly number[]): Difference => {
    const { mean, halfWidth, n } = estimate(values);
    const interval = mean === null || halfWidth === null ? null : ([mean - halfWidth, mean + halfWidth] as const);
    return { mean, interval, bootstrapInterval: intervalOf(values), n, ...pairedTest(values), adjustedPValue: null };
  };
  const rows = policies.flatMap((policy, index) =>
    policies.slice(index + 1).flatMap((other) =>
      communities.map((community) => {
        const [own, others] = [policy, other].map((name) => trialsOf(sums, name, community));
        const pairs = pairsOf(own as Trials, others as Trials, policy, other);
        const differences = sweepMetricList.map(({ key }) => [key, over(pairs.map(([a, b]) => a[key] - b[key]))]);
        return { policy, other, community, ...(Object.fromEntries(differences) as Record<Metric, Difference>) };
      }),
    ),
  );
  return adjusted(rows);
};

/** The same at each combination of loop values. @throws RangeError when two policies did not run the same repetitions */
export const sweepDifferences = (sums: readonly EpochSums[]): (DifferenceRow & Pick<SweepRow, "variables">)[] => {
  const points = new Set(sums.map(({ variables }) => JSON.stringify(variables)));
  return [...points].flatMap((point) => {
    const own = sums.filter(({ variables }) => JSON.stringify(variables) === point);
    return pairedDifferences(own).map((row) => ({ ...row, variables: JSON.parse(point) as SweepRow["variables"] }));
  });
};

/** Each metric of each community is a family of its own: as many tests as there are pairs of policies. */
const adjusted = (rows: readonly DifferenceRow[]): DifferenceRow[] =>
  sweepMetricList.reduce<DifferenceRow[]>(
    (current, { key }) =>
      current.map((row) => {
        const family = current.filter(({ community }) => community === row.community);
        const pValues = holmAdjusted(family.map((each) => each[key].pValue));
        return { ...row, [key]: { ...row[key], adjustedPValue: pValues[family.indexOf(row)] ?? null } };
      }),
    [...rows],
  );

/** What each repetition came to. */
type Trials = ReadonlyMap<number, Readonly<Record<Metric, number>>>;

const trialsOf = (sums: readonly PairedSums[], policy: string, community: string): Trials => {
  const parts = new Map<number, PairedSums[]>();
  for (const each of sums) {
    if (each.policy !== policy || (community !== "all" && each.community !== community)) continue;
    parts.set(each.repetition, [...(parts.get(each.repetition) ?? []), each]);
  }
  return new Map([...parts].map(([repetition, own]) => [repetition, metricsOf(own)]));
};

const metricsOf = (parts: readonly PairedSums[]): Record<Metric, number> => {
  const total = (of: (sums: PairedSums) => number): number => parts.reduce((sum, part) => sum + of(part), 0);
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
