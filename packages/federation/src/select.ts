import type { RandomStream } from "@offloadlab/model";
import type { FederationSettings } from "./settings.ts";

/**
 * Z_r: which communities' models are averaged, in the order of their selection.
 *
 * Alg. 2, lines 6-13. The v-th pick is the v-th best model with probability ε, and any one at random otherwise.
 *
 * Differs: a model is picked once, where line 9 may pick it again; when the v-th best already is in, the best one that is
 * not. Line 9 leaves open which of the first V it takes; with repeated picks it is any of them, and of a model that is picked
 * again there is still one. A model whose loss is not finite has diverged and is never picked,
 * not at random either: one NaN would be everybody's. There are fewer participants then, perhaps none.
 *
 * @param losses [m] by community, comparable between communities; of equal ones the lower index is better
 * @param participantCount V: 1 makes the best model everybody's, m averages all
 * @param greedyProbability ε: 0 selects at random, 1 the V lowest losses
 * @param picks whether a model may be picked again
 * @throws RangeError unless V is from 1 to m
 */
export const selectParticipants = (
  losses: readonly number[],
  participantCount: number,
  greedyProbability: number,
  random: RandomStream,
  picks: FederationSettings["picks"] = "distinct",
): number[] => {
  if (!(Number.isInteger(participantCount) && participantCount >= 1 && participantCount <= losses.length)) {
    throw new RangeError(`Expected 1 to ${losses.length} participants, got ${participantCount}`);
  }
  const ranked = rank(losses);
  if (picks === "repeated") return repeatedPicks(ranked, participantCount, greedyProbability, random);
  const left = [...ranked];
  const selected: number[] = [];
  for (let v = 0; v < participantCount && left.length > 0; v++) {
    const exploits = random.uniform() < greedyProbability;
    const place = exploits ? left.indexOf(ranked[v] as number) : random.integer(left.length);
    // −1 when the v-th best is in: at most v of the first v + 1 are, so the best that is left is one of the first V.
    selected.push(...left.splice(Math.max(0, place), 1));
  }
  return selected;
};

/** Alg. 2, lines 7-13, to the letter. @param ranked not empty where a model is to be picked */
const repeatedPicks = (
  ranked: readonly number[],
  participantCount: number,
  greedyProbability: number,
  random: RandomStream,
): number[] => {
  const selected = new Set<number>();
  for (let v = 0; v < participantCount && ranked.length > 0; v++) {
    const exploits = random.uniform() < greedyProbability;
    const among = exploits ? Math.min(participantCount, ranked.length) : ranked.length;
    selected.add(ranked[random.integer(among)] as number);
  }
  return [...selected];
};

/** The communities with a finite loss, the lowest first. */
const rank = (losses: readonly number[]): number[] =>
  losses
    .map((loss, community) => ({ loss, community }))
    .filter(({ loss }) => Number.isFinite(loss))
    .sort((a, b) => a.loss - b.loss || a.community - b.community)
    .map(({ community }) => community);
