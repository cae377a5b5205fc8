import { outcomes, randomStream } from "@offloadlab/model";
import { expect, it } from "vitest";
import { type PairedSums, pairedDifferences } from "./paired-differences.ts";
import { proportion } from "./proportion.ts";
import { reachedText, repetitionsFor, sizingText } from "./resolution.ts";
import { estimate } from "./statistics.ts";

const noOutcomes = Object.fromEntries(outcomes.map((outcome) => [outcome, 0])) as PairedSums["outcomes"];

/** Trials whose energies are given, by policy. */
const trials = (policy: string, energies: readonly number[]): PairedSums[] =>
  energies.map((energyJoules, index) => ({
    policy,
    repetition: index + 1,
    community: "R1",
    tasks: 1,
    outcomes: noOutcomes,
    reward: 0,
    energyJoules,
    waitingSeconds: 0,
  }));
const zeros = (n: number): number[] => Array.from({ length: n }, () => 0);

const random = randomStream(3, "resolution");
const normal = (): number => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
const normals = (n: number): number[] => Array.from({ length: n }, normal);

it("asks for (h / w)² as many pairs as the pilot had, for the difference that takes most", () => {
  const rows = pairedDifferences([
    ...trials("a", [1, 2, 3, 4, 5]),
    ...trials("b", zeros(5)),
    ...trials("c", [1, 1, 1, 1, 2]),
  ]);
  // Half width of 1..5: 2.7764 · √(2.5 / 5) = 1.9632.
  const sizing = repetitionsFor(rows, [{ metric: "energy", halfWidth: 0.5 }]);
  expect(sizing).toMatchObject({ repetitions: Math.ceil(5 * (1.96324 / 0.5) ** 2), policy: "a", other: "b", n: 5 });
  expect(sizing === null ? "" : sizingText(sizing)).toBe(
    "pilot: energy of a - b is known to ± 1.963 from 5 pairs; ± 0.5 takes 78 repetitions",
  );
  expect(repetitionsFor(rows, [{ metric: "energy", halfWidth: 100 }])?.repetitions).toBe(5);
  expect(reachedText(rows, [{ metric: "energy", halfWidth: 2 }])).toEqual([
    "energy: wanted ± 2, reached: the widest of 3 is ± 1.96",
  ]);
  expect(reachedText(rows, [{ metric: "energy", halfWidth: 1.9 }])[0]).toContain("not reached");
});

it("asks for nothing where the pilot tells nothing of the spread, or of one policy alone", () => {
  const one = pairedDifferences([...trials("a", [1]), ...trials("b", [2])]);
  expect(repetitionsFor(one, [{ metric: "energy", halfWidth: 1 }])).toBeNull();
  expect(repetitionsFor(pairedDifferences(trials("a", [1, 2])), [{ metric: "energy", halfWidth: 1 }])).toBeNull();
});

it.each([
  [3, 0.75],
  [5, 0.7],
  [10, 0.6],
])("a pilot of %i pairs: the mean is within the resolution in 95 %% of cases", (pilotPairs, reachedAtLeast) => {
  const wanted = 0.4;
  const experiments = 1000;
  let [within, reached, covered] = [0, 0, 0];
  for (let experiment = 0; experiment < experiments; experiment += 1) {
    const sums = [...trials("a", normals(pilotPairs)), ...trials("b", zeros(pilotPairs))];
    const pilot = pairedDifferences(sums, () => null);
    const repetitions = repetitionsFor(pilot, [{ metric: "energy", halfWidth: wanted }])?.repetitions as number;
    const { mean, halfWidth } = estimate(normals(repetitions));
    if (Math.abs(mean as number) <= wanted) within += 1;
    if (Math.abs(mean as number) <= (halfWidth as number)) covered += 1;
    if ((halfWidth as number) <= wanted) reached += 1;
  }
  expect(proportion(within, experiments).interval[1]).toBeGreaterThan(0.95);
  expect(proportion(covered, experiments).interval[0]).toBeLessThan(0.95);
  expect(proportion(covered, experiments).interval[1]).toBeGreaterThan(0.95);
  expect(reached / experiments).toBeGreaterThan(reachedAtLeast);
});
