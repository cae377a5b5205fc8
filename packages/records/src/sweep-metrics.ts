import type { Estimate } from "./statistics.ts";
import type { SweepEstimate, SweepRow } from "./sweep-rows.ts";

/** What a sweep measures, and how it is printed. */
export interface SweepMetric {
  readonly key: Exclude<keyof SweepRow, "policy" | "variables" | "community">;
  /** As the title of an axis. */
  readonly title: string;
  /** As the head of a column of text. */
  readonly heading: string;
  /** First part of its columns in files, without the unit. */
  readonly column: string;
  /** Full word, as in a file's columns; undefined for a number without one. */
  readonly unit?: string;
  /** After the decimal point. */
  readonly digits: number;
  /** What no mean can exceed; an interval is drawn no further. */
  readonly limits?: readonly [number, number];
}

/** Eqs. (19), (20): a reward is the negative of a cost. */
const rewardLimits = [Number.NEGATIVE_INFINITY, 0] as const;

/** In the order of the paper's figures; reward per task comes last, the paper does not show it. */
export const sweepMetrics = {
  rewardPerEpoch: {
    key: "rewardPerEpoch",
    title: "Reward per epoch",
    heading: "reward per epoch",
    column: "reward_per_epoch",
    digits: 2,
    limits: rewardLimits,
  },
  successRatio: {
    key: "successRatio",
    title: "Task success rate",
    heading: "success rate",
    column: "success",
    unit: "ratio",
    digits: 3,
    limits: [0, 1],
  },
  energyJoules: {
    key: "energyJoules",
    title: "Average energy consumption [J]",
    heading: "energy per task [J]",
    column: "energy",
    unit: "joules",
    digits: 2,
    limits: [0, Number.POSITIVE_INFINITY],
  },
  waitingSeconds: {
    key: "waitingSeconds",
    title: "Average waiting time [s]",
    heading: "waiting time [s]",
    column: "waiting",
    unit: "seconds",
    digits: 3,
    limits: [0, Number.POSITIVE_INFINITY],
  },
  rewardPerTask: {
    key: "rewardPerTask",
    title: "Reward per task",
    heading: "reward per task",
    column: "reward_per_task",
    digits: 3,
    limits: rewardLimits,
  },
} as const satisfies Record<SweepMetric["key"], SweepMetric>;

export const sweepMetricList: readonly SweepMetric[] = Object.values(sweepMetrics);

/** The mean with the half width of its Student-t interval. */
export const asEstimate = ({ mean, interval, n }: SweepEstimate): Estimate => ({
  mean,
  halfWidth: interval === null ? null : (interval[1] - interval[0]) / 2,
  n,
});
