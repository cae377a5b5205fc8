import { outcomes } from "@offloadlab/model";
import { expect, it } from "vitest";
import { differenceTable } from "./difference-table.ts";
import { pairedDifferences, sweepDifferences } from "./paired-differences.ts";
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

it("says of a difference whether it could be none, and how large it is beside the spread of the pairs", () => {
  const [all] = pairedDifferences(sums);
  // t = .0875 / (.025 / 2) = 7 with three degrees of freedom.
  expect(all?.successRatio.pValue).toBeCloseTo(0.0059862, 6);
  expect(all?.successRatio.adjustedPValue).toBe(all?.successRatio.pValue);
  expect(all?.successRatio.effectSize).toBeCloseTo((0.7236012545582676 * 0.0875) / 0.025, 9);
  expect(all?.energyJoules).toMatchObject({ pValue: 0, effectSize: null });
  expect(all?.waitingSeconds).toMatchObject({ mean: 0, pValue: 1, effectSize: null });
});

it("prints a block for each metric, marks what is told from 0 and says that four pairs are few", () => {
  const text = differenceTable(pairedDifferences(sums));
  expect(text).toMatch(/^success rate: +difference +bootstrap +p +Holm's p +g_z +n$/m);
  expect(text).toMatch(/^a - b +0\.088 ± 0\.040\* +- +0\.006 +0\.006 +2\.53 +4$/m);
  expect(text).toMatch(/^a - b +-1\.00 ± 0\.00\* +- +<0\.001 +<0\.001 +- +4$/m);
  expect(text).toMatch(/^a - b +0\.000 ± 0\.000 +- +1\.000 +1\.000 +- +4$/m);
  // t(.975, 3) / √4
  expect(text).toContain("n = 4 is few: a mean difference gets its * only beyond 1.6 standard deviations");
});

it("shows the bootstrap band from five pairs on, below which it would be too narrow", () => {
  const more = sums.flatMap((each) => (each.repetition === 4 ? [each, { ...each, repetition: 5 }] : [each]));
  expect(differenceTable(pairedDifferences(more))).toMatch(/^a - b +0\.080 ± \d\.\d+\*? +\[0\.0\d\d, 0\.100\] .* 5$/m);
});

it("has no interval and no p of one pair, and says so", () => {
  const text = differenceTable(pairedDifferences(sums.filter(({ repetition }) => repetition === 1)));
  expect(text).toMatch(/^a - b +0\.100 +- +- +- +- +1$/m);
  expect(text).toContain("n = 1: one pair has no interval and no p");
});

it("adjusts for the number of pairs, and needs larger differences for it", () => {
  const noise = [0, 30, 10, 40];
  const third = sums
    .filter(({ policy }) => policy === "a")
    .map((each) => ({
      ...each,
      policy: "c",
      energyJoules: each.energyJoules + (noise[each.repetition - 1] as number),
    }));
  const rows = pairedDifferences([...sums, ...third]).filter(({ community }) => community === "all");
  const raw = rows.map(({ energyJoules }) => energyJoules.pValue as number);
  expect(raw[0]).toBe(0);
  const [small, large] = [Math.min(...raw.slice(1)), Math.max(...raw.slice(1))];
  const adjusted = rows.slice(1).map(({ energyJoules }) => energyJoules.adjustedPValue as number);
  expect(Math.min(...adjusted)).toBeCloseTo(2 * small, 12);
  expect(Math.max(...adjusted)).toBeCloseTo(Math.max(2 * small, large), 12);
  // t(1 - .025 / 3, 3) / √4
  expect(differenceTable(rows)).toContain("as the first of 3 pairs, gets its * only beyond 2.4 standard deviations");
});

it("compares at each point of a sweep for itself", () => {
  const at = (load: number) => sums.map((each) => ({ ...each, variables: { load } }));
  const rows = sweepDifferences([...at(1), ...at(2)]);
  expect(rows.map(({ variables, community }) => [variables["load"], community])).toEqual(
    [1, 2].flatMap((load) => ["all", "R1", "R2"].map((community) => [load, community])),
  );
  expect(rows[3]?.successRatio).toEqual(pairedDifferences(sums)[0]?.successRatio);
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
