import type { LiveResult } from "@offloadlab/protocol";
import { isKnown, type PolicyRows } from "./comparison.ts";

/** A policy's reward in a community, with its interval: none of its own with a single trial. */
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
    return [{ community, index, mean: reward.mean, low: reward.mean - half, high: reward.mean + half }];
  });

/** Both ends of the axis: all intervals, and zero. */
export const rewardEnds = (results: readonly LiveResult[]): readonly [low: number, high: number] => {
  const known = results.flatMap(({ reward }) => (isKnown(reward) ? [reward] : []));
  const ends = known.flatMap(({ mean, halfWidth }) => [mean - (halfWidth ?? 0), mean + (halfWidth ?? 0)]);
  const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)];
  return low === high ? [-1, 0] : [low - 0.03 * (high - low), high + 0.03 * (high - low)];
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
