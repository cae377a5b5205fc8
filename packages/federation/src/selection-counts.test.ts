import { randomStream } from "@offloadlab/model";
import fc from "fast-check";
import { expect, it } from "vitest";
import { selectParticipants } from "./select.ts";
import { countSelections, type SelectionCounts, starvedCommunities } from "./selection-counts.ts";

const countsAfter = (rounds: number, losses: readonly number[], v: number, epsilon: number, seed = 1) => {
  let counts: SelectionCounts = losses.map(() => 0);
  for (let round = 1; round <= rounds; round++) {
    counts = countSelections(counts, selectParticipants(losses, v, epsilon, randomStream(seed, round)));
  }
  return counts;
};

it("counts sum to V for each round", () => {
  fc.assert(
    fc.property(fc.nat(20), fc.integer({ min: 1, max: 4 }), fc.integer(), (rounds, v, seed) => {
      const total = countsAfter(rounds, [3, 1, 2, 4], v, 0.5, seed).reduce((sum, count) => sum + count, 0);
      expect(total).toBe(v * rounds);
    }),
  );
});

it("counts what it is given and changes no counts of before", () => {
  const before = Object.freeze([1, 0, 2]);
  expect(countSelections(before, [0, 2])).toEqual([2, 0, 3]);
  expect(before).toEqual([1, 0, 2]);
});

it("warns of a community that is always ranked last", () => {
  expect(starvedCommunities(countsAfter(20, [1, 2, 3], 2, 1), 20)).toEqual([2]);
  expect(starvedCommunities(countsAfter(60, [1, 2, 3], 2, 0.8), 60)).toEqual([2]);
});

it("warns of one of three that is never selected after five rounds", () => {
  const first = Array.from({ length: 30 }, (_, i) => i + 1).find(
    (rounds) => starvedCommunities([rounds, rounds, 0], rounds).length > 0,
  );
  expect(first).toBe(5);
});

it("warns of nobody when all take part or none did", () => {
  expect(starvedCommunities([9, 9, 9], 9)).toEqual([]);
  expect(starvedCommunities([0, 0, 0], 0)).toEqual([]);
  expect(starvedCommunities([0, 0, 0], 5)).toEqual([]);
});

it("calls no community starved that has more than half of an even share, however surely it has less", () => {
  expect(starvedCommunities([750, 750, 500], 1000)).toEqual([]);
  expect(starvedCommunities([850, 850, 300], 1000)).toEqual([2]);
});

it("warns of one that never takes part while all others do", () => {
  expect(starvedCommunities([9, 0, 9], 9)).toEqual([1]);
});

it("takes chance for chance: of random selections it warns hardly ever", () => {
  const losses = Array.from({ length: 30 }, (_, i) => i);
  const warned = Array.from({ length: 200 }, (_, seed) =>
    starvedCommunities(countsAfter(60, losses, 10, 0, seed), 60),
  ).flat();
  // Of 6,000 communities; a normal distribution has 0.13 % beyond three standard deviations.
  expect(warned.length).toBeLessThan(20);
});
