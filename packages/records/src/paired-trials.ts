import type { PairedSums } from "./paired-differences.ts";
import { byFame, type TrialSums } from "./results.ts";
import type { Trial } from "./schedule.ts";

/**
 * The trials of a run as pairs: those of repetitions that every policy came to the end of.
 *
 * @param trials those that ended
 */
export const pairedTrials = (trials: readonly Trial[], sums: readonly TrialSums[]): PairedSums[] => {
  const policies = byFame([...new Set(trials.map(({ policy }) => policy))]);
  const counts = new Map<number, number>();
  for (const { repetition } of trials) counts.set(repetition, (counts.get(repetition) ?? 0) + 1);
  const whole = trials.filter(({ repetition }) => counts.get(repetition) === policies.length);
  return policies.flatMap((policy) =>
    whole
      .filter((trial) => trial.policy === policy)
      .flatMap(({ number, repetition }) =>
        sums.filter(({ trial }) => trial === number).map((each) => ({ ...each, repetition })),
      ),
  );
};
