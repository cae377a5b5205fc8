import { ModelMemory } from "./model-memory.ts";
import { checkShapes, isFiniteNetwork, mapNetworks, type Weights } from "./weights.ts";

/** What a community uploads. */
export interface LocalModel {
  /** Index from 0. */
  readonly community: number;
  readonly weights: Weights;
}

/**
 * The global model, in memory of its own.
 *
 * Eq. (25): θ_f = 1/V · Σ_{i ∈ Z_r} θ_i, for each network
 *
 * Adds in the order of the communities and in double precision, so that neither the order of the participants nor the
 * machine changes a bit, and equal models give that model.
 *
 * Differs: divides by |Z_r|, which is less than V when models have diverged.
 *
 * @param participants Z_r in any order
 * @throws RangeError without participants, for a community that is in twice, for shapes that differ, or for weights that
 * are not finite
 */
export const aggregate = (participants: readonly LocalModel[]): Weights => {
  const ordered = [...participants].sort((a, b) => a.community - b.community);
  const [first] = ordered;
  if (first === undefined) throw new RangeError("Expected at least one participant, got none");
  ordered.forEach(({ community, weights }, i) => {
    if (i > 0 && ordered[i - 1]?.community === community) {
      throw new RangeError(`Expected each community once, got ${community} twice`);
    }
    checkShapes(first.weights, weights, `community ${community}`);
  });
  return mapNetworks(first.weights, (network, name) => {
    const mean = ModelMemory.of(network).meanOf(ordered.map(({ weights }) => weights[name] as Float32Array));
    // Finite floats have a finite mean, and what is not finite stays so in a sum.
    if (!isFiniteNetwork(mean)) throw notFinite(ordered, name);
    return mean;
  });
};

const notFinite = (participants: readonly LocalModel[], name: string): RangeError => {
  const culprits = participants.filter(({ weights }) => !isFiniteNetwork(weights[name] as Float32Array));
  const communities = culprits.map(({ community }) => `community ${community}`).join(", ");
  return new RangeError(`Expected finite weights of \`${name}\`, got others (${communities})`);
};
