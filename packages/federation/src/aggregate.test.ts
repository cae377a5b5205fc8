import fc from "fast-check";
import { expect, it } from "vitest";
import { aggregate } from "./aggregate.ts";
import { bitsOfWeights, models, shareMemory } from "./random-models.test-helper.ts";
import type { Weights } from "./weights.ts";

const participants = (drawn: readonly Weights[]) => drawn.map((weights, community) => ({ community, weights }));
const actor = (...weights: number[]): Weights => ({ actor: new Float32Array(weights) });

it("Eq. (25) is the mean of each network", () => {
  const first = { actor: new Float32Array([1, 2]), critic: new Float32Array([3]) };
  const second = { actor: new Float32Array([3, 6]), critic: new Float32Array([0]) };
  expect(aggregate(participants([first, second]))).toEqual({
    actor: new Float32Array([2, 4]),
    critic: new Float32Array([1.5]),
  });
});

it("Eq. (25) of equal models is that model, bit for bit", () => {
  fc.assert(
    fc.property(models(1, 1), fc.integer({ min: 1, max: 30 }), ([weights = {}], size) => {
      const mean = aggregate(participants(Array.from({ length: size }, () => weights)));
      expect(bitsOfWeights(mean)).toEqual(bitsOfWeights(weights));
    }),
  );
});

it("Eq. (25) does not depend on the order of the participants, to the last bit", () => {
  const shuffled = models(1, 9).chain((drawn) => {
    const ordered = participants(drawn);
    return fc.tuple(
      fc.constant(ordered),
      fc.shuffledSubarray(ordered, { minLength: ordered.length, maxLength: ordered.length }),
    );
  });
  fc.assert(
    fc.property(shuffled, ([ordered, other]) => {
      expect(bitsOfWeights(aggregate(other))).toEqual(bitsOfWeights(aggregate(ordered)));
    }),
  );
});

it("Eq. (25) stays within the models' envelope", () => {
  fc.assert(
    fc.property(models(1, 9), (drawn) => {
      for (const [name, network] of Object.entries(aggregate(participants(drawn)))) {
        network.forEach((weight, i) => {
          const weights = drawn.map((model) => model[name]?.[i] as number);
          expect(weight).toBeGreaterThanOrEqual(Math.min(...weights));
          expect(weight).toBeLessThanOrEqual(Math.max(...weights));
        });
      }
    }),
  );
});

it("Eq. (25) divides by the number of participants, whatever their indices", () => {
  fc.assert(
    fc.property(models(1, 9), fc.nat(100), (drawn, offset) => {
      const moved = drawn.map((weights, i) => ({ community: offset + 3 * i, weights }));
      expect(bitsOfWeights(aggregate(moved))).toEqual(bitsOfWeights(aggregate(participants(drawn))));
    }),
  );
});

it("Eq. (25) is rounded once: what cancels in double precision leaves nothing", () => {
  expect(aggregate(participants([actor(2 ** 24), actor(1), actor(-(2 ** 24))]))["actor"]?.[0]).toBe(Math.fround(1 / 3));
});

it("Eq. (25) of the largest weights is finite", () => {
  const largest = (2 - 2 ** -23) * 2 ** 127;
  expect(aggregate(participants([actor(largest), actor(largest)]))["actor"]?.[0]).toBe(largest);
});

it("the global model shares memory with no participant", () => {
  fc.assert(
    fc.property(models(1, 4), (drawn) => {
      const mean = aggregate(participants(drawn));
      expect(drawn.some((weights) => shareMemory(mean, weights))).toBe(false);
    }),
  );
});

it("aggregates parts of packed tensors", () => {
  const packed = new Float32Array([1, 2, 3, 4]);
  const first = { actor: packed.subarray(0, 2) };
  expect(aggregate(participants([first, { actor: packed.subarray(2) }]))["actor"]).toEqual(new Float32Array([2, 3]));
});

it.each([Number.NaN, Number.POSITIVE_INFINITY])("refuses %d and says whose it is", (value) => {
  const drawn = participants([actor(1, 1), actor(1, value), actor(1, -value)]);
  expect(() => aggregate(drawn)).toThrow("Expected finite weights of `actor`, got others (community 1, community 2)");
});

it("refuses other shapes, a community twice, and nobody", () => {
  expect(() => aggregate(participants([actor(1, 2), actor(1)]))).toThrow(
    "Expected 2 weights of `actor` (community 1), got 1",
  );
  expect(() => aggregate(participants([actor(1), { critic: new Float32Array(1) }]))).toThrow(
    "Expected the networks actor (community 1), got critic",
  );
  const twice = { community: 2, weights: actor(1) };
  expect(() => aggregate([twice, { community: 0, weights: actor(1) }, twice])).toThrow(
    "Expected each community once, got 2 twice",
  );
  expect(() => aggregate([])).toThrow(RangeError);
});
