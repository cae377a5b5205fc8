import { expect, it } from "vitest";
import { type ResultRow, resultRows } from "./results.ts";
import { formatEstimate, resultCaption, resultTable } from "./table.ts";

const row = (policy: string, community: string, reward: number, halfWidth: number | null, n: number): ResultRow => ({
  policy,
  community,
  reward: { mean: reward, halfWidth, n },
  successRatio: { mean: 0.9, halfWidth, n },
  energyJoules: { mean: 12.345, halfWidth, n },
  waitingSeconds: { mean: 0.25, halfWidth, n },
});

it.each([
  [{ mean: 0.91249, halfWidth: 0.01251, n: 3 }, 3, "0.912 ± 0.013"],
  [{ mean: -2, halfWidth: 0, n: 2 }, 2, "-2.00 ± 0.00"],
  [{ mean: 1.5, halfWidth: null, n: 1 }, 1, "1.5"],
  [{ mean: null, halfWidth: null, n: 0 }, 3, "-"],
])("prints %j with %i digits as %s", (estimate, digits, text) => {
  expect(formatEstimate(estimate, digits)).toBe(text);
});

it("lines up one row per policy and community, with n, and sets policies apart", () => {
  const table = resultTable([
    row("local", "all", -10.5, 0.25, 3),
    row("local", "community-1", -1, 0.25, 3),
    row("edge", "all", -2, null, 1),
  ]);
  const lines = table.split("\n");
  expect(lines[0]?.split(/\s{2,}/)).toEqual([
    "policy",
    "community",
    "reward per task",
    "success rate",
    "energy per task [J]",
    "waiting time [s]",
    "n",
  ]);
  expect(lines[1]).toMatch(/^-+$/);
  expect(lines[1]?.length).toBe(Math.max(...lines.map((line) => line.length)));
  expect(lines.slice(2).map((line) => line.split(/\s{2,}/))).toEqual([
    ["local", "all", "-10.500 ± 0.250", "0.900 ± 0.250", "12.35 ± 0.25", "0.250 ± 0.250", "3"],
    ["local", "community-1", "-1.000 ± 0.250", "0.900 ± 0.250", "12.35 ± 0.25", "0.250 ± 0.250", "3"],
    [""],
    ["edge", "all", "-2.000", "0.900", "12.35", "0.250", "1"],
  ]);
  const ends = lines.filter((line) => line !== "").map((line) => line.length);
  expect(new Set(ends).size).toBe(1);
});

it("is a heading alone without rows", () => {
  expect(resultTable([]).split("\n")).toHaveLength(2);
});

it("prints a dash for a community without tasks, also when the rows were JSON in between", () => {
  const outcomes = { "completed-local": 0, "completed-edge": 0, late: 0, drained: 0, expired: 0, lost: 0 };
  const sums = { trial: 1, policy: "local", tasks: 0, outcomes, reward: 0, energyJoules: 0, waitingSeconds: 0 };
  const rows = resultRows([{ ...sums, community: "idle" }]);
  const read = JSON.parse(JSON.stringify(rows)) as ResultRow[];
  expect(read).toEqual(rows);
  for (const line of resultTable(read).split("\n").slice(2)) {
    expect(line.split(/\s{2,}/).slice(2)).toEqual(["-", "-", "-", "-", "0"]);
  }
});

it.each([
  ["emulated", 1.5, "emulated hardware, clock 1.5x real time"],
  ["linux", 1, "linux hardware, clock at real time"],
] as const)("says of %s hardware with a clock speed of %f what it is", (hardware, clockSpeed, what) => {
  expect(resultCaption(hardware, clockSpeed)).toBe(
    `mean ± half width of the 95 % Student-t interval over n trials; ${what}`,
  );
});
