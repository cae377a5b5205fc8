import { outcomes } from "@offloadlab/model";
import { expect, it } from "vitest";
import { differenceTable, pairedDifferences } from "./paired-differences.ts";
import { studentQuantile } from "./statistics.ts";
import type { EpochSums } from "./sweep-rows.ts";

const trial = (
  policy: string,
  repetition: number,
  community: string,
  successes: number,
  joules: number,
): EpochSums => ({
  trial: repetition,
  policy,
  repetition,
  variables: {},
  community,
  epoch: 1,
  seed: repetition,
  tasks: 10,
  outcomes: Object.fromEntries(
    outcomes.map((outcome) => [
      outcome,
      outcome === "completed-local" ? successes : outcome === "late" ? 10 - successes : 0,
    ]),
  ) as EpochSums["outcomes"],
  reward: successes - 10,
  energyJoules: joules,
  waitingSeconds: 2,
});

/** Arrivals make the trials differ far more than the policies do. */
const sums = [1, 2, 3, 4].flatMap((repetition) => [
  trial("a", repetition, "R1", repetition + 2, 100 * repetition),
  trial("a", repetition, "R2", repetition + 3, 50 * repetition),
  trial("b", repetition, "R1", repetition + 1, 100 * repetition + 10),
  trial("b", repetition, "R2", repetition + (repetition === 4 ? 3 : 2), 50 * repetition + 10),
]);

it("pairs trials with the same arrivals", () => {
  const rows = pairedDifferences(sums);
  expect(rows.map(({ policy, other, community }) => `${policy} - ${other}, ${community}`)).toEqual([
    "a - b, all",
    "a - b, R1",
    "a - b, R2",
  ]);
  const [all, first] = rows;
  // In each repetition one success of ten more, but for R2 of the last one: mean and deviation by hand.
  expect(all?.successRatio.mean).toBeCloseTo((0.1 + 0.1 + 0.1 + 0.05) / 4, 12);
  const deviation = Math.sqrt((3 * 0.0125 ** 2 + 0.0375 ** 2) / 3);
  const halfWidth = (studentQuantile(0.975, 3) * deviation) / 2;
  expect(all?.successRatio.interval?.[0]).toBeCloseTo(0.0875 - halfWidth, 12);
  expect(all?.energyJoules).toMatchObject({ mean: -1, n: 4 });
  expect(first?.energyJoules.interval?.[0]).toBeCloseTo(-1, 12);
  expect(all?.rewardPerEpoch.mean).toBeCloseTo(0.875, 12);
  expect(all?.waitingSeconds.mean).toBe(0);
});

it("marks differences whose interval leaves out 0", () => {
  const [, , line] = differenceTable(pairedDifferences(sums)).split("\n");
  expect(line).toMatch(/^a - b +0\.88 ± 0\.40\* +0\.088 ± 0\.040\* +-1\.00 ± 0\.00\* +0\.000 ± 0\.000 /);
});

it("compares every policy with every other one", () => {
  const three = [...sums, ...sums.filter(({ policy }) => policy === "a").map((each) => ({ ...each, policy: "c" }))];
  const pairs = pairedDifferences(three).filter(({ community }) => community === "all");
  expect(pairs.map(({ policy, other }) => [policy, other])).toEqual([
    ["a", "b"],
    ["a", "c"],
    ["b", "c"],
  ]);
  expect(pairs[1]?.rewardPerEpoch).toMatchObject({ mean: 0, interval: [0, 0] });
});

it("refuses trials that are no pairs", () => {
  expect(() => pairedDifferences(sums.slice(0, -2))).toThrow("a and b to have run the same repetitions, got 4 and 3");
});
