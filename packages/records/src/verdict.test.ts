import { expect, it } from "vitest";
import { epochSums } from "./sweep-rows.test-helper.ts";
import { differenceOf, verdictOn } from "./verdict.ts";

/** One task per entry and repetition, with so much energy. */
const energies = (policy: string, values: readonly number[], community = "R1") =>
  values.map((energyJoules, index) =>
    epochSums({ trial: index, policy, repetition: index + 1, community, tasks: 1, energyJoules }),
  );

it("pairs by repetition: what both have in common cancels", () => {
  const sums = [...energies("td3", [110, 220, 330]), ...energies("ddpg", [100, 210, 320])];
  expect(differenceOf(sums, "energyJoules", ["td3", "ddpg"])).toEqual({ mean: 10, halfWidth: 0, n: 3 });
  expect(differenceOf(sums, "energyJoules", ["ddpg", "td3"]).mean).toBe(-10);
});

it("is of the community that is asked for, and of nothing where a policy is missing", () => {
  const sums = [
    ...energies("td3", [1]),
    ...energies("ddpg", [0]),
    ...energies("td3", [9], "R2"),
    ...energies("ddpg", [5], "R2"),
  ];
  expect(differenceOf(sums, "energyJoules", ["td3", "ddpg"], "R2")).toEqual({ mean: 4, halfWidth: null, n: 1 });
  expect(differenceOf(sums, "energyJoules", ["td3", "fair"])).toEqual({ mean: null, halfWidth: null, n: 0 });
});

it.each([
  [{ mean: 1, halfWidth: 0.9, n: 5 }, "holds"],
  [{ mean: -1, halfWidth: 0.9, n: 5 }, "does not hold"],
  [{ mean: 1, halfWidth: 1, n: 5 }, "cannot be told"],
  [{ mean: -1, halfWidth: 1.1, n: 5 }, "cannot be told"],
  [{ mean: 0, halfWidth: 0, n: 5 }, "cannot be told"],
  [{ mean: 9, halfWidth: null, n: 1 }, "cannot be told"],
  [{ mean: null, halfWidth: null, n: 0 }, "cannot be told"],
] as const)("%o: %s", (difference, verdict) => {
  expect(verdictOn(difference)).toBe(verdict);
});
