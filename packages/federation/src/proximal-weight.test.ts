import { count } from "@offloadlab/units";
import fc from "fast-check";
import { expect, it } from "vitest";
import { initialProximalWeight, nextProximalWeight } from "./proximal-weight.ts";
import { mcfTd3, pfrOa } from "./settings.ts";

const settings = pfrOa.proximal;

/** λ after each loss. */
const weightsAfter = (losses: readonly number[], proximal = settings): number[] => {
  let state = initialProximalWeight(proximal);
  return losses.map((loss) => {
    state = nextProximalWeight(state, loss, proximal);
    return state.weight;
  });
};

it("λ rises by 0.1 whenever the loss rose", () => {
  expect(weightsAfter([1, 2, 3, 2.5, 2.6])).toEqual([0, 0.1, 0.2, 0.2, 0.3]);
});

it("λ falls by 0.1 after every five rounds without a rise", () => {
  const losses = [1, 2, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 0.5];
  expect(weightsAfter(losses)).toEqual([0, 0.1, 0.2, 0.2, 0.2, 0.2, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0]);
});

it("a rise starts the five rounds anew", () => {
  expect(weightsAfter([1, 2, 1, 1, 1, 1, 1.5, 1, 1, 1, 1, 1])).toEqual([
    0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.2, 0.2, 0.2, 0.2, 0.1,
  ]);
});

it("λ is never below 0", () => {
  fc.assert(
    fc.property(fc.array(fc.double()), fc.double({ min: 0, max: 1, noNaN: true }), (losses, start) => {
      const weights = weightsAfter(losses, { ...settings, start });
      return weights.every((weight) => weight >= 0 && Number.isFinite(weight));
    }),
  );
});

it("λ stays at 0 while losses fall", () => {
  expect(weightsAfter(Array.from({ length: 12 }, (_, i) => -i))).toEqual(Array(12).fill(0));
  expect(weightsAfter([1, 1, 1, 1, 1, 1], { ...settings, start: 0.05 }).at(-1)).toBe(0);
});

it("as many falls as rises lead back to exactly 0", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), (rises) => {
      const up = Array.from({ length: rises + 1 }, (_, i) => i);
      const down = Array.from({ length: 5 * rises }, () => 0);
      const weights = weightsAfter([...up, ...down]);
      expect(weights[rises]).toBeCloseTo(0.1 * rises, 12);
      expect(weights.at(-1)).toBe(0);
    }),
  );
});

it("a loss that is not finite is a rise, and the next one is compared with the last that was", () => {
  expect(weightsAfter([Number.NaN, 2, Number.POSITIVE_INFINITY, 1, 1.5])).toEqual([0.1, 0.1, 0.2, 0.2, 0.3]);
});

it("a step of 0 keeps λ where it starts", () => {
  fc.assert(
    fc.property(fc.array(fc.double()), (losses) => {
      expect(weightsAfter(losses, mcfTd3.proximal).every((weight) => weight === 0)).toBe(true);
      expect(weightsAfter(losses, { ...settings, start: 0.01, step: 0 }).every((weight) => weight === 0.01)).toBe(true);
    }),
  );
});

it("one calm round is enough when the setting says so", () => {
  expect(weightsAfter([1, 2, 3, 3, 3], { ...settings, calmRounds: count(1) })).toEqual([0, 0.1, 0.2, 0.1, 0]);
});
