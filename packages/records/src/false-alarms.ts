import { randomStream } from "@offloadlab/model";
import { bootstrap } from "./bootstrap.ts";
import { fewestForBootstrap } from "./difference-table.ts";
import { type PairedSums, pairedDifferences } from "./paired-differences.ts";
import { type Proportion, proportion, proportionText } from "./proportion.ts";
import { type SweepMetric, sweepMetricList } from "./sweep-metrics.ts";
import { alignedLines } from "./text-columns.ts";

/** How often comparisons of a policy with itself saw a difference, where there is none. */
export interface FalseAlarms {
  readonly metric: SweepMetric["key"];
  /** p of the paired t-test below 0.05. */
  readonly test: Proportion;
  /** 0 outside of the bootstrap band. */
  readonly bootstrap: Proportion;
}

/**
 * A/A: deals a policy's trials out to two names, two by two, a coin deciding which is which, and compares the names as if
 * they were two policies. No trial is used twice, so the comparisons are independent.
 *
 * Trials need arrivals of their own: with the same ones a policy would differ from itself by nothing at all.
 *
 * @param sums of one policy, a repetition being a trial
 * @param pairs of each comparison
 * @param seed of the coins
 * @throws RangeError when there are too few trials for a comparison
 */
export const falseAlarms = (sums: readonly PairedSums[], pairs: number, seed: number): FalseAlarms[] => {
  const repetitions = [...new Set(sums.map(({ repetition }) => repetition))].sort((a, b) => a - b);
  const count = Math.floor(repetitions.length / (2 * pairs));
  if (count < 1) {
    throw new RangeError(`Expected at least ${2 * pairs} trials for ${pairs} pairs, got ${repetitions.length}`);
  }
  const byRepetition = new Map(repetitions.map((repetition): [number, PairedSums[]] => [repetition, []]));
  for (const each of sums) byRepetition.get(each.repetition)?.push(each);
  const intervalOf = bootstrap(seed);
  const coins = randomStream(seed, "a/a");
  const comparisons = Array.from({ length: count }, (_, comparison) => {
    const dealt: PairedSums[] = [];
    for (let pair = 0; pair < pairs; pair += 1) {
      const first = 2 * (comparison * pairs + pair);
      const coin = coins.integer(2);
      for (const [place, policy] of ["A", "B"].entries()) {
        const own = byRepetition.get(repetitions[first + ((place + coin) % 2)] as number) ?? [];
        dealt.push(...own.map((each) => ({ ...each, policy, repetition: pair + 1 })));
      }
    }
    const ofA = ({ policy }: PairedSums): boolean => policy === "A";
    const ordered = [...dealt.filter(ofA), ...dealt.filter((each) => !ofA(each))];
    return pairedDifferences(ordered, intervalOf).filter(({ community }) => community === "all");
  }).flat();
  return sweepMetricList
    .filter(({ key }) => key !== "rewardPerEpoch")
    .map(({ key }) => {
      const alarms = comparisons.filter((row) => (row[key].pValue ?? 1) < 0.05).length;
      const outside = comparisons.filter(({ [key]: { bootstrapInterval } }) => {
        const [low, high] = bootstrapInterval ?? [0, 0];
        return low > 0 || high < 0;
      }).length;
      return { metric: key, test: proportion(alarms, count), bootstrap: proportion(outside, count) };
    });
};

/** A line for each metric. */
export const falseAlarmTable = (policy: string, alarms: readonly FalseAlarms[], pairs: number): string => {
  const count = alarms[0]?.test.n ?? 0;
  const bandText = (bootstrap: Proportion): string =>
    pairs < fewestForBootstrap ? `no band below ${fewestForBootstrap} pairs` : proportionText(bootstrap);
  const cells = [
    [`${policy} against itself`, "paired t-test, p < 0.05", "0 outside the bootstrap band"],
    ...sweepMetricList.flatMap(({ key, heading }) => {
      const own = alarms.find(({ metric }) => metric === key);
      return own === undefined ? [] : [[heading, proportionText(own.test), bandText(own.bootstrap)]];
    }),
  ];
  const caption = `false alarms in ${count} comparisons of ${pairs} pairs with independent arrivals, 95 % Clopper-Pearson interval; 5 % is what is promised`;
  return [...alignedLines(cells, 1), caption].join("\n");
};
