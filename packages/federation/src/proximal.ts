/** Value and gradient of the proximal term of one network. */
export interface ProximalTerm {
  readonly value: number;
  /** λ (θ − θ_f), [parameterCount] */
  readonly gradient: Float64Array;
}

/**
 * What a network pays for leaving the global one, in double precision.
 *
 * Eq. (24): h(θ; θ_f) = L(θ) + λ/2 · ‖θ − θ_f‖², of which this is the second summand
 *
 * The norm is squared: without the square, the gradient would have the same length near the global weights as far away. A
 * learner keeps a copy of the global weights: if it trained the array that it compares with, the term would always be 0.
 *
 * @param weights θ, [parameterCount]
 * @param globalWeights θ_f, [parameterCount]
 * @param proximalWeight λ: 0 leaves the network free, and the more the closer it stays
 * @throws RangeError when the two share memory or differ in length, or for a λ below 0
 */
export const proximalTerm = (
  weights: Float32Array,
  globalWeights: Float32Array,
  proximalWeight: number,
): ProximalTerm => {
  if (weights.length !== globalWeights.length) {
    throw new RangeError(`Expected ${weights.length} global weights, got ${globalWeights.length}`);
  }
  if (!(proximalWeight >= 0 && Number.isFinite(proximalWeight))) {
    throw new RangeError(`Expected a proximal weight of at least 0, got ${proximalWeight}`);
  }
  if (overlap(weights, globalWeights)) {
    throw new RangeError("Expected a copy of the global weights, got memory that is trained too");
  }
  const gradient = new Float64Array(weights.length);
  let squares = 0;
  for (let i = 0; i < weights.length; i++) {
    const difference = (weights[i] as number) - (globalWeights[i] as number);
    squares += difference ** 2;
    gradient[i] = proximalWeight * difference;
  }
  return { value: (proximalWeight / 2) * squares, gradient };
};

const overlap = (a: Float32Array, b: Float32Array): boolean =>
  a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
