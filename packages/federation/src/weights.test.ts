import fc from "fast-check";
import { expect, it } from "vitest";
import { bitsOfWeights, models, shareMemory } from "./random-models.test-helper.ts";
import { areFinite, copyWeights } from "./weights.ts";

it("a copy has the same bits in memory of its own", () => {
  fc.assert(
    fc.property(models(1, 1), ([weights = {}]) => {
      const copy = copyWeights(weights);
      expect(bitsOfWeights(copy)).toEqual(bitsOfWeights(weights));
      expect(shareMemory(copy, weights)).toBe(false);
    }),
  );
});

it("a copy of a part is no longer than the part", () => {
  const packed = new Float32Array([1, 2, 3, 4]);
  expect(copyWeights({ actor: packed.subarray(1, 3) })["actor"]?.buffer.byteLength).toBe(8);
});

it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("a model with %d is not finite", (value) => {
  expect(areFinite({ actor: new Float32Array([1]), critic: new Float32Array([1, value]) })).toBe(false);
  expect(areFinite({ actor: new Float32Array([1]), critic: new Float32Array([1, 2]) })).toBe(true);
});
