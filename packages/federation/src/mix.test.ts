import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mixWeights } from "./mix.ts";
import { bitsOfWeights, models, shareMemory } from "./random-models.test-helper.ts";
import type { Weights } from "./weights.ts";

const share = fc.double({ min: 0, max: 1, noNaN: true });
const pair = models(2, 2) as fc.Arbitrary<[Weights, Weights]>;

describe("Algorithm 1, line 6", () => {
  it("mixes each network", () => {
    const local = { actor: new Float32Array([0, 1]), critic: new Float32Array([4]) };
    const global = { actor: new Float32Array([1, 1]), critic: new Float32Array([8]) };
    expect(mixWeights(local, global, 0.25)).toEqual({
      actor: new Float32Array([0.25, 1]),
      critic: new Float32Array([5]),
    });
  });

  it("copies the global weights with f_q = 1 and keeps the local ones with 0, bit for bit", () => {
    fc.assert(
      fc.property(pair, ([local, global]) => {
        expect(bitsOfWeights(mixWeights(local, global, 1))).toEqual(bitsOfWeights(global));
        expect(bitsOfWeights(mixWeights(local, global, 0))).toEqual(bitsOfWeights(local));
      }),
    );
  });

  it("takes over the global model with f_q = 1 where local weights are NaN", () => {
    const mixed = mixWeights({ actor: new Float32Array([Number.NaN]) }, { actor: new Float32Array([2]) }, 1);
    expect(mixed["actor"]?.[0]).toBe(2);
  });

  it("stays between the two", () => {
    fc.assert(
      fc.property(pair, share, ([local, global], globalShare) => {
        const mixed = mixWeights(local, global, globalShare);
        for (const [name, network] of Object.entries(mixed)) {
          network.forEach((weight, i) => {
            const ends = [local[name]?.[i] as number, global[name]?.[i] as number];
            expect(weight).toBeGreaterThanOrEqual(Math.min(...ends));
            expect(weight).toBeLessThanOrEqual(Math.max(...ends));
          });
        }
      }),
    );
  });

  it("leaves equal models as they are, whatever f_q", () => {
    fc.assert(
      fc.property(models(1, 1), share, ([weights = {}], globalShare) => {
        expect(bitsOfWeights(mixWeights(weights, weights, globalShare))).toEqual(bitsOfWeights(weights));
      }),
    );
  });

  it("shares memory with neither, and changes neither", () => {
    fc.assert(
      fc.property(pair, fc.oneof(share, fc.constantFrom(0, 1)), ([local, global], globalShare) => {
        const before = [bitsOfWeights(local), bitsOfWeights(global)];
        const mixed = mixWeights(local, global, globalShare);
        for (const network of Object.values(mixed)) network.fill(7);
        expect(shareMemory(mixed, local) || shareMemory(mixed, global)).toBe(false);
        expect([bitsOfWeights(local), bitsOfWeights(global)]).toEqual(before);
      }),
    );
  });

  it("refuses other shapes and shares", () => {
    const local = { actor: new Float32Array(2) };
    expect(() => mixWeights(local, { actor: new Float32Array(3) }, 0.3)).toThrow(
      "Expected 2 weights of `actor` (global model), got 3",
    );
    expect(() => mixWeights(local, {}, 1)).toThrow("Expected the networks actor (global model), got none");
    for (const globalShare of [-0.1, 1.1, Number.NaN]) {
      expect(() => mixWeights(local, local, globalShare)).toThrow(RangeError);
    }
  });
});
