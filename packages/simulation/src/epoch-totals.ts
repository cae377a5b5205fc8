import { isSuccess, type Outcome, outcomes } from "@offloadlab/model";

/** The sums of an epoch over the tasks that have been decided. */
export interface EpochTotals {
  readonly tasks: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Undiscounted. */
  readonly reward: number;
  readonly energyJoules: number;
  readonly waitingSeconds: number;
}

/** Successes of all tasks, NaN without tasks. */
export const successRatio = ({ tasks, outcomes: counts }: EpochTotals): number =>
  outcomes.reduce((sum, outcome) => sum + (isSuccess(outcome) ? counts[outcome] : 0), 0) / tasks;

const indexOf = Object.fromEntries(outcomes.map((outcome, index) => [outcome, index])) as Record<Outcome, number>;

/** Adds up how the tasks of an epoch end. */
export class Tally {
  /** By `outcomes`. */
  private readonly counts = new Uint32Array(outcomes.length);
  /** Reward, energy, waiting time. */
  private readonly sums = new Float64Array(3);

  clear(): void {
    this.counts.fill(0);
    this.sums.fill(0);
  }

  add(outcome: Outcome, reward: number, energy: number, waiting: number): void {
    const counts = this.counts;
    const sums = this.sums;
    const index = indexOf[outcome];
    counts[index] = (counts[index] as number) + 1;
    sums[0] = (sums[0] as number) + reward;
    sums[1] = (sums[1] as number) + energy;
    sums[2] = (sums[2] as number) + waiting;
  }

  copyFrom(other: Tally): void {
    this.counts.set(other.counts);
    this.sums.set(other.sums);
  }

  totals(): EpochTotals {
    const [reward = 0, energyJoules = 0, waitingSeconds = 0] = this.sums;
    const counts = Object.fromEntries(outcomes.map((outcome, index) => [outcome, this.counts[index] ?? 0]));
    const tasks = this.counts.reduce((sum, count) => sum + count, 0);
    return { tasks, outcomes: counts as Record<Outcome, number>, reward, energyJoules, waitingSeconds };
  }
}
