/** [m] How often each community's model was averaged. */
export type SelectionCounts = readonly number[];

/** Counts a round's participants. */
export const countSelections = (counts: SelectionCounts, participants: readonly number[]): SelectionCounts =>
  counts.map((count, community) => count + (participants.includes(community) ? 1 : 0));

/** Below this part of an even share a community has little say in the global model. */
const starvedShare = 0.5;
/** How many standard deviations below an even share are no chance. */
const deviations = 3;

/**
 * The communities that the ranking hardly ever lets in: averaged less than half as often as with even shares, and so rarely
 * that a fair draw would not do it. Their demands do not show in the global model: a reason to warn, and to doubt that the
 * losses are comparable.
 *
 * @param rounds in which they were counted: when two of three are selected, one that never is shows after five
 */
export const starvedCommunities = (counts: SelectionCounts, rounds: number): number[] => {
  const even = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const deviation = Math.sqrt(even * Math.max(0, 1 - even / rounds));
  return counts.flatMap((count, community) =>
    count < starvedShare * even && count < even - deviations * deviation ? [community] : [],
  );
};
