import fc from "fast-check";
import { expect, it } from "vitest";
import { mixWeights } from "./mix.ts";
import { proximalTerm } from "./proximal.ts";
import { copyWeights } from "./weights.ts";

const lambda = fc.double({ min: 0, max: 10, noNaN: true });
/** Weights in 1/1024, so that differences of floats are exact. */
const exact = fc.integer({ min: -4096, max: 4096 }).map((n) => n / 1024);
const pairs = fc.array(fc.tuple(exact, exact), { minLength: 1, maxLength: 20 });
const split = (drawn: [number, number][]) => ({
  weights: Float32Array.from(drawn, ([own]) => own),
  globalWeights: Float32Array.from(drawn, ([, global]) => global),
});

it("Eq. (24) is half of λ times the squared distance", () => {
  // Distance 5.
  const { value, gradient } = proximalTerm(new Float32Array([4, 1]), new Float32Array([1, 5]), 0.5);
  expect(value).toBe(6.25);
  expect([...gradient]).toEqual([1.5, -2]);
});

it("Eq. (24) has exponent 2: s times the distance costs s² times as much", () => {
  fc.assert(
    fc.property(pairs, lambda, fc.constantFrom(0.25, 0.5, 2, 4), (drawn, weight, scale) => {
      const { weights, globalWeights } = split(drawn);
      const further = weights.map((own, i) => {
        const global = globalWeights[i] as number;
        return global + scale * (own - global);
      });
      const { value } = proximalTerm(weights, globalWeights, weight);
      expect(proximalTerm(further, globalWeights, weight).value).toBeCloseTo(scale ** 2 * value, 6);
    }),
  );
});

it("Eq. (24) is linear in λ, and nothing at λ = 0", () => {
  fc.assert(
    fc.property(pairs, lambda, (drawn, weight) => {
      const { weights, globalWeights } = split(drawn);
      const unit = proximalTerm(weights, globalWeights, 1).value;
      expect(proximalTerm(weights, globalWeights, weight).value).toBeCloseTo(weight * unit, 6);
      const none = proximalTerm(weights, globalWeights, 0);
      expect(none.value).toBe(0);
      expect(none.gradient.every((slope) => slope === 0)).toBe(true);
    }),
  );
});

it("Eq. (24) and its gradient are 0 at θ_f", () => {
  fc.assert(
    fc.property(fc.float32Array({ noNaN: true, noDefaultInfinity: true }), lambda, (globalWeights, weight) => {
      const { value, gradient } = proximalTerm(globalWeights.slice(), globalWeights, weight);
      expect(value).toBe(0);
      expect(gradient.every((slope) => slope === 0)).toBe(true);
    }),
  );
});

it("the gradient of Eq. (24) is its finite difference", () => {
  fc.assert(
    fc.property(pairs, lambda, (drawn, weight) => {
      const { weights, globalWeights } = split(drawn);
      const { gradient } = proximalTerm(weights, globalWeights, weight);
      const step = 1 / 1024;
      const valueAt = (i: number, move: number): number => {
        const moved = weights.slice();
        moved[i] = (moved[i] as number) + move;
        return proximalTerm(moved, globalWeights, weight).value;
      };
      for (let i = 0; i < weights.length; i++) {
        // The central difference of a square is exact but for rounding.
        expect((valueAt(i, step) - valueAt(i, -step)) / (2 * step)).toBeCloseTo(gradient[i] as number, 6);
      }
    }),
  );
});

it("Eq. (24) pulls towards the global weights", () => {
  fc.assert(
    fc.property(pairs, fc.double({ min: 0.01, max: 1, noNaN: true }), (drawn, weight) => {
      const { weights, globalWeights } = split(drawn);
      const { value, gradient } = proximalTerm(weights, globalWeights, weight);
      const stepped = weights.map((own, i) => own - 0.5 * (gradient[i] as number));
      expect(proximalTerm(stepped, globalWeights, weight).value).toBeLessThanOrEqual(value);
    }),
  );
});

it("training what was mixed makes Eq. (24) grow, with f_q = 1 too", () => {
  const global = { actor: new Float32Array([1, 2]) };
  const anchor = copyWeights(global);
  const trained = mixWeights({ actor: new Float32Array([0, 0]) }, global, 1);
  const actor = trained["actor"] as Float32Array;
  actor[0] = 3;
  expect(global.actor[0]).toBe(1);
  expect(proximalTerm(actor, anchor["actor"] as Float32Array, 1).value).toBe(2);
});

it("refuses global weights that are trained too", () => {
  const packed = new Float32Array(6);
  expect(() => proximalTerm(packed, packed, 1)).toThrow(RangeError);
  expect(() => proximalTerm(packed.subarray(0, 3), packed.subarray(2, 5), 1)).toThrow(RangeError);
  expect(proximalTerm(packed.subarray(0, 3), packed.subarray(3, 6), 1).value).toBe(0);
});

it("refuses other lengths and a λ below 0", () => {
  expect(() => proximalTerm(new Float32Array(2), new Float32Array(3), 1)).toThrow("Expected 2 global weights, got 3");
  for (const weight of [-0.1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => proximalTerm(new Float32Array(1), new Float32Array(1), weight)).toThrow(RangeError);
  }
});
