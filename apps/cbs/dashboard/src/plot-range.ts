/** Both ends of an axis. */
export type Range = [low: number, high: number];

/** The reward's axis: always down from, or up from, zero. */
export const rewardRange = (lowest: number | null, highest: number | null): Range => {
  const low = Math.min(0, lowest ?? 0);
  const high = Math.max(0, highest ?? 0);
  if (low === high) return [-1, 0];
  const room = (high - low) * 0.08;
  return [low < 0 ? low - room : 0, high > 0 ? high + room : 0];
};

/** The axis of what is never below zero. */
export const sizeRange = (_: number | null, highest: number | null): Range => [0, highest ? highest * 1.08 : 1];

/** The charge's axis: from empty to a little above full, so that a line's height is its state of charge. */
export const chargeRange =
  (capacity: number) =>
  (_: number | null, highest: number | null): Range => [0, Math.max(1, capacity, highest ?? 0) * 1.04];
