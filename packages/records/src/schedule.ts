import { randomStream } from "@offloadlab/model";

/** One epoch of one policy. */
export interface Trial {
  /** From 1, in the order of execution. */
  readonly number: number;
  readonly policy: string;
  /** From 1; trials of one repetition are paired: same arrivals, sizes and images. */
  readonly repetition: number;
  readonly seed: number;
  /** The trial of the schedule that this one repeats, when a node was lost in the midst of it. */
  readonly repeats?: number;
}

/**
 * The trial before the first: it warms code, caches and connections up, is journalled and checked like the others, and
 * counts for nothing.
 */
export const warmUpTrial = 0;

/**
 * Randomised interleaved trials (Abedi & Brecht, ICPE 2017): every repetition runs each policy once, in an order of
 * its own, so that a drift of the machine or the channel meets all policies alike.
 */
export const trialSchedule = (policies: readonly string[], repetitions: number, seed: number): Trial[] => {
  const order = randomStream(seed, "schedule");
  const trials: Trial[] = [];
  for (let repetition = 1; repetition <= repetitions; repetition += 1) {
    const shuffled = [...policies];
    for (let i = shuffled.length - 1; i > 0; i -= 1) {
      const j = order.integer(i + 1);
      [shuffled[i], shuffled[j]] = [shuffled[j] as string, shuffled[i] as string];
    }
    const workloadSeed = randomStream(seed, "repetition", repetition).integer(2 ** 32);
    for (const policy of shuffled) trials.push({ number: trials.length + 1, policy, repetition, seed: workloadSeed });
  }
  return trials;
};
