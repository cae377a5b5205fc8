import type { LiveResult } from "@offloadlab/protocol";
import { isKnown, type PolicyRows } from "./comparison.ts";

/**
 * A policy's reward in a community, with its interval: none of its own with a single trial, and none above 0, which no reward
 * of Eq. (19) exceeds.
 */
export interface RewardPoint {
  readonly community: string;
  /** Of the community. */
  readonly index: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** A policy's rewards by community, of those where a trial has ended. */
export const pointsOf = ({ communities: rows }: PolicyRows, communities: readonly string[]): readonly RewardPoint[] =>
  rows.flatMap(({ community, reward }) => {
    const index = communities.indexOf(community);
    if (!isKnown(reward) || index < 0) return [];
    const half = reward.halfWidth ?? 0;
    return [{ community, index, mean: reward.mean, low: reward.mean - half, high: Math.min(reward.mean + half, 0) }];
  });

/** Both ends of the axis: all intervals, and a little beyond zero. */
export const rewardEnds = (results: readonly LiveResult[]): readonly [low: number, high: number] => {
  const lows = results.flatMap(({ reward }) => (isKnown(reward) ? [reward.mean - (reward.halfWidth ?? 0)] : []));
  const low = Math.min(0, ...lows);
  return low === 0 ? [-1, 0] : [1.03 * low, -0.03 * low];
};

/** Some four to nine round values between two ends. */
export const axisTicks = (low: number, high: number): readonly number[] => {
  const rough = (high - low) / 8;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) as number) * power;
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
};
