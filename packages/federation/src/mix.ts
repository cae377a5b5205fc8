import { checkShapes, copyWeights, mapNetworks, type Weights } from "./weights.ts";

/**
 * A community's weights after a round, in memory of their own, rounded once from double precision.
 *
 * Alg. 1, line 6: θ_i = f_q θ_f + (1 − f_q) θ_i, for each network
 *
 * @param globalShare f_q: 0 keeps the local weights, 1 copies the global ones, both bit for bit
 * @throws RangeError when the shapes differ or f_q is outside [0, 1]
 */
export const mixWeights = (local: Weights, global: Weights, globalShare: number): Weights => {
  if (!(globalShare >= 0 && globalShare <= 1)) {
    throw new RangeError(`Expected a global share in [0, 1], got ${globalShare}`);
  }
  checkShapes(local, global, "global model");
  // By copying: a diverged community recovers its weights, which 0 · NaN would not give it.
  if (globalShare === 1) return copyWeights(global);
  if (globalShare === 0) return copyWeights(local);
  return mapNetworks(local, (ours, name) => mix(ours, global[name] as Float32Array, globalShare));
};

const mix = (ours: Float32Array, theirs: Float32Array, globalShare: number): Float32Array => {
  const mixed = new Float32Array(ours.length);
  const localShare = 1 - globalShare;
  for (let i = 0; i < mixed.length; i++) {
    mixed[i] = globalShare * (theirs[i] as number) + localShare * (ours[i] as number);
  }
  return mixed;
};
