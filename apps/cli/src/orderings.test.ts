import type { EpochSums } from "@offloadlab/records";
import { expect, it } from "vitest";
import { orderingsCsv, orderingsOf, orderingsText } from "./orderings.ts";
import { paperTable } from "./paper-table.ts";

/** A policy at one bandwidth, with so many of 100 tasks successful, and energy and waiting, in each repetition. */
const trials = (
  policy: string,
  successes: readonly number[],
  [energy, waiting]: readonly [number, number] = [1, 1],
  bandwidth = 15e6,
): EpochSums[] =>
  successes.map((success, index) => ({
    trial: index + 1,
    policy,
    repetition: index + 1,
    variables: { bandwidth_hertz: bandwidth },
    community: "R1",
    epoch: 1,
    seed: index,
    tasks: 100,
    outcomes: { "completed-local": success, "completed-edge": 0, late: 100 - success, drained: 0, expired: 0, lost: 0 },
    reward: -1,
    // The policies share what differs between repetitions.
    energyJoules: 100 * energy + index,
    waitingSeconds: 100 * waiting + index,
  }));

const verdictsOf = (sums: readonly EpochSums[], metric: string) =>
  orderingsOf(sums)
    .filter((ordering) => ordering.metric === metric)
    .map(({ policies, verdict }) => `${policies.join(" ")}: ${verdict}`);

it("holds, does not hold, or cannot be told: by the interval of the paired difference", () => {
  const sums = [
    ...trials("pfr-oa", [95, 96, 97, 98, 99]),
    ...trials("mcf-td3", [93, 94, 95, 96, 96]),
    ...trials("td3", [98, 99, 99, 100, 100]),
    ...trials("ddpg", [99, 98, 100, 99, 99]),
  ];
  expect(verdictsOf(sums, "successRatio")).toEqual([
    "pfr-oa mcf-td3: holds",
    "mcf-td3 td3: does not hold",
    "td3 ddpg: cannot be told",
    "pfr-oa td3: does not hold",
    "pfr-oa ddpg: does not hold",
  ]);
});

it("less energy and less waiting are better", () => {
  const five = [50, 50, 50, 50, 50];
  const sums = [
    ...trials("local", five, [10, 3]),
    ...trials("greedy", five, [20, 2]),
    ...trials("edge", five, [15, 4]),
  ];
  expect(verdictsOf(sums, "energyJoules")).toEqual(["local greedy: holds", "greedy edge: does not hold"]);
  expect(verdictsOf(sums, "waitingSeconds")).toEqual(["greedy local: holds", "local edge: holds"]);
});

it("compares PFR-OA with every other method too, in the direction of the paper", () => {
  const five = [50, 50, 50, 50, 50];
  const sums = ["local", "mcf-td3", "dqn", "pfr-oa"].flatMap((policy) => trials(policy, five));
  const pairs = (metric: string) => verdictsOf(sums, metric).map((line) => line.split(":")[0]);
  expect(pairs("successRatio")).toEqual(["pfr-oa mcf-td3", "mcf-td3 dqn", "dqn local", "pfr-oa dqn", "pfr-oa local"]);
  expect(pairs("energyJoules")).toEqual(["local pfr-oa", "pfr-oa mcf-td3", "mcf-td3 dqn", "pfr-oa dqn"]);
});

it("one seed tells nothing, however large the difference", () => {
  const sums = [...trials("greedy", [99]), ...trials("local", [1])];
  expect(verdictsOf(sums, "successRatio")).toEqual(["greedy local: cannot be told"]);
});

it("compares at each point, with what the paper has there", () => {
  const sums = [5e6, 15e6].flatMap((bandwidth) => [
    ...trials("td3", [90, 91, 92], [1, 1], bandwidth),
    ...trials("ddpg", [80, 81, 82], [1, 1], bandwidth),
  ]);
  const success = orderingsOf(sums, paperTable).filter(({ metric }) => metric === "successRatio");
  expect(success.map(({ variables }) => variables["bandwidth_hertz"])).toEqual([5e6, 15e6]);
  expect(success.map(({ paper }) => paper?.toFixed(2))).toEqual(["0.02", "0.03"]);
  for (const { difference } of success) expect(difference.mean).toBeCloseTo(0.1, 12);
});

it("as text counts verdicts for each claim, as CSV has a line per pair", () => {
  const sums = [...trials("pfr-oa", [95, 96, 97]), ...trials("td3", [90, 91, 92])];
  const orderings = orderingsOf(sums, paperTable);
  expect(orderingsText(orderings)).toContain(
    "Task success rate: pfr-oa > td3: 1 holds, 0 does not hold, 0 cannot be told",
  );
  expect(orderingsText(orderings)).toMatch(/pfr-oa > td3 .* n 3 /);
  const [heading, ...lines] = orderingsCsv(orderings).trimEnd().split("\n");
  expect(heading).toBe("bandwidth_hertz,metric,ahead,behind,difference,low,high,n,difference_in_paper,verdict");
  expect(lines.map((line) => line.split(",").slice(0, 4).join())).toEqual([
    "15000000,successRatio,pfr-oa,td3",
    "15000000,energyJoules,pfr-oa,td3",
    "15000000,waitingSeconds,pfr-oa,td3",
  ]);
});
