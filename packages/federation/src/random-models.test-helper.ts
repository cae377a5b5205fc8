import fc from "fast-check";
import type { Weights } from "./weights.ts";

/** Models of one shape: an actor and a critic of a few weights each, finite and of any size, −0 included. */
export const models = (least = 1, most = 6): fc.Arbitrary<Weights[]> =>
  fc
    .tuple(fc.integer({ min: least, max: most }), fc.nat(9), fc.nat(9))
    .chain(([size, actor, critic]) =>
      fc.array(
        fc.record(
          { actor: fc.float32Array(lengthOf(actor)), critic: fc.float32Array(lengthOf(critic)) },
          { noNullPrototype: true },
        ),
        { minLength: size, maxLength: size },
      ),
    );

const lengthOf = (length: number) => ({
  minLength: length,
  maxLength: length,
  noNaN: true,
  noDefaultInfinity: true,
});

/** Bits of all weights, which tell −0 from 0. */
export const bitsOfWeights = (weights: Weights): Record<string, number[]> =>
  Object.fromEntries(
    Object.entries(weights).map(([name, network]) => [name, [...new Uint32Array(network.slice().buffer)]]),
  );

/** Whether any two networks of two models share memory. */
export const shareMemory = (a: Weights, b: Weights): boolean =>
  Object.values(a).some((first) => Object.values(b).some((second) => first.buffer === second.buffer));
