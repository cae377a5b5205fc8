import { expect, it } from "vitest";
import type { ResultRow } from "../results.ts";
import { renderFigure } from "./render.ts";
import { rewardFigure } from "./reward-figure.ts";

const estimate = (mean: number | null, halfWidth: number | null) => ({ mean, halfWidth, n: 3 });
const row = (policy: string, community: string, mean: number | null): ResultRow => {
  const none = estimate(0, 0);
  const reward = estimate(mean, 0.2);
  return { policy, community, reward, successRatio: none, energyJoules: none, waitingSeconds: none };
};

it("has a panel for each community and a bar for each policy, and says where it comes from", async () => {
  const rows = ["all", "R1", "R2"].flatMap((community) =>
    ["fair", "pfr-oa"].map((policy, index) => row(policy, community, -1 - index)),
  );
  const { svg } = await renderFigure(rewardFigure([{ label: "x", rows }], "run x"));
  for (const text of ["R1: reward per task", "R2: reward per task", "Fair", "PFR-OA", "run x"])
    expect(svg).toContain(text);
  expect(svg).not.toContain("all: reward");
  expect(svg.match(/aria-roledescription="bar"/g)).toHaveLength(4);
});

it("has a bar for each of several runs, and names them", async () => {
  const runs = ["healthy", "slow", "corrected"].map((label, index) => ({
    label,
    rows: ["fair", "pfr-oa"].map((policy) => row(policy, "R1", -1 - index)),
  }));
  const { svg } = await renderFigure(rewardFigure(runs, "three runs"));
  expect(svg.match(/aria-roledescription="bar"/g)).toHaveLength(6);
  for (const { label } of runs) expect(svg).toContain(label);
}, 20_000);

it("draws no interval above 0, which no reward exceeds", () => {
  const rows = [row("fair", "R1", -0.1), row("pfr-oa", "R1", -1)];
  const drawn = JSON.stringify(rewardFigure([{ label: "x", rows }], "run x"));
  const highs = [...drawn.matchAll(/"high":([^,}]*)/g)].map(([, high]) => Number(high));
  expect(highs).toEqual([0, expect.closeTo(-0.8)]);
});

it("leaves out what has no trial", async () => {
  const { svg } = await renderFigure(
    rewardFigure([{ label: "x", rows: [row("fair", "R1", -1), row("pfr-oa", "R1", null)] }], "run x"),
  );
  expect(svg.match(/aria-roledescription="bar"/g)).toHaveLength(1);
}, 20_000);
