import { isSuccess, outcomes } from "@offloadlab/model";
import { bootstrap, type IntervalOf } from "./bootstrap.ts";
import { estimate } from "./statistics.ts";
import type { SweepMetric } from "./sweep-metrics.ts";
import type { EpochSums, SweepEstimate, SweepRow } from "./sweep-rows.ts";

const bootstrapSeed = 1;

/**
 * The table of a sweep: per combination of loop values and policy, in the order of their trials, first over all
 * communities, then each; intervals over trials.
 *
 * A trial counts once, with its mean over the tasks of all its epochs. The order of the sums makes no difference, not
 * even in the last digit.
 */
export const sweepRows = (sums: readonly EpochSums[]): SweepRow[] => {
  const sorted = [...sums].sort(
    (a, b) => a.trial - b.trial || a.epoch - b.epoch || compareNames(a.community, b.community),
  );
  const policies = [...new Set(sorted.map(({ policy }) => policy))];
  const communities = [...new Set(sorted.map(({ community }) => community))].sort(compareNames);
  const intervalOf = bootstrap(bootstrapSeed);
  return [...grouped(sorted, ({ variables }) => JSON.stringify(variables)).values()].flatMap((point) => {
    const byPolicy = grouped(point, ({ policy }) => policy);
    const variables = (point[0] as EpochSums).variables;
    return policies.flatMap((policy) => {
      const own = byPolicy.get(policy);
      if (own === undefined) return [];
      refuseRepeated(own);
      const byCommunity = grouped(own, ({ community }) => community);
      return ["all", ...communities].map((community) => {
        const parts = community === "all" ? own : (byCommunity.get(community) ?? []);
        return { policy, variables, community, ...estimates(parts, intervalOf) };
      });
    });
  });
};

const estimates = (
  parts: readonly EpochSums[],
  intervalOf: IntervalOf,
): Omit<SweepRow, "policy" | "variables" | "community"> => {
  const trials = [...grouped(parts, ({ trial }) => trial).values()];
  const over = (key: SweepMetric["key"]): SweepEstimate => {
    const values = trials.map((parts) => metricOf(parts, key));
    return sweepEstimate(
      values.filter((value) => Number.isFinite(value)),
      intervalOf,
    );
  };
  return {
    successRatio: over("successRatio"),
    energyJoules: over("energyJoules"),
    waitingSeconds: over("waitingSeconds"),
    rewardPerTask: over("rewardPerTask"),
    rewardPerEpoch: over("rewardPerEpoch"),
  };
};

/** A metric over epochs together, each task counting once; NaN per task where there was none. */
export const metricOf = (parts: readonly EpochSums[], key: SweepMetric["key"]): number => {
  const perTask = (of: (sums: EpochSums) => number): number => total(parts, of) / total(parts, tasksOf);
  switch (key) {
    case "successRatio":
      return perTask(successesOf);
    case "energyJoules":
      return perTask(({ energyJoules }) => energyJoules);
    case "waitingSeconds":
      return perTask(({ waitingSeconds }) => waitingSeconds);
    case "rewardPerTask":
      return perTask(({ reward }) => reward);
    case "rewardPerEpoch":
      return total(parts, ({ reward }) => reward) / parts.length;
  }
};

const sweepEstimate = (values: readonly number[], intervalOf: IntervalOf): SweepEstimate => {
  const { mean, halfWidth, n } = estimate(values);
  const interval = mean === null || halfWidth === null ? null : ([mean - halfWidth, mean + halfWidth] as const);
  return { mean, interval, bootstrapInterval: intervalOf(values), n };
};

const tasksOf = ({ tasks }: EpochSums): number => tasks;

const successesOf = (sums: EpochSums): number =>
  outcomes.filter(isSuccess).reduce((sum, outcome) => sum + sums.outcomes[outcome], 0);

const total = (parts: readonly EpochSums[], of: (sums: EpochSums) => number): number =>
  parts.reduce((sum, part) => sum + of(part), 0);

/** `community-2` before `community-10`. */
const compareNames = (a: string, b: string): number =>
  a.localeCompare(b, "en", { numeric: true }) || (a < b ? -1 : a > b ? 1 : 0);

/** An epoch that is there twice would count twice. */
const refuseRepeated = (sums: readonly EpochSums[]): void => {
  const seen = new Set<string>();
  for (const { trial, epoch, community } of sums) {
    const key = `trial ${trial}, epoch ${epoch}, community ${community}`;
    if (seen.has(key)) throw new RangeError(`Expected every epoch once, got ${key} twice`);
    seen.add(key);
  }
};

const grouped = <T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> => {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
};
