/**
 * A model's parameters by network, `actor` and `critic` for instance: each [parameterCount], flat.
 *
 * What is federated is what is in here, whatever the names: target networks and an optimiser's moments stay local because
 * nobody puts them in.
 */
export type Weights = Readonly<Record<string, Float32Array>>;

/** The same weights in memory of their own. */
export const copyWeights = (weights: Weights): Weights => mapNetworks(weights, (network) => network.slice());

/** Whether no weight of any network is NaN or infinite. */
export const areFinite = (weights: Weights): boolean => Object.values(weights).every(isFiniteNetwork);

export const isFiniteNetwork = (network: Float32Array): boolean => {
  for (let i = 0; i < network.length; i++) if (!Number.isFinite(network[i])) return false;
  return true;
};

/** Weights of the same networks, each made from the network of that name. */
export const mapNetworks = (weights: Weights, map: (network: Float32Array, name: string) => Float32Array): Weights =>
  Object.fromEntries(Object.entries(weights).map(([name, network]) => [name, map(network, name)]));

/**
 * Asserts that a model has the networks of another, of the same lengths.
 *
 * @param owner whose model it is, for the message
 * @throws RangeError otherwise
 */
export const checkShapes = (expected: Weights, weights: Weights, owner: string): void => {
  const names = Object.keys(expected).sort().join(", ");
  const got = Object.keys(weights).sort().join(", ");
  if (got !== names) throw new RangeError(`Expected the networks ${names} (${owner}), got ${got || "none"}`);
  for (const [name, { length }] of Object.entries(expected)) {
    const found = weights[name]?.length;
    if (found !== length) throw new RangeError(`Expected ${length} weights of \`${name}\` (${owner}), got ${found}`);
  }
};
