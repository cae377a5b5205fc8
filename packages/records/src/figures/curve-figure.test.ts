import { expect, it } from "vitest";
import type { CurvePoint } from "../learning-curves.ts";
import { curveFigure } from "./curve-figure.ts";
import { valueStyle } from "./policy-styles.ts";
import { renderFigure } from "./render.ts";

const point = (policy: string, epoch: number, mean: number | null, halfWidth: number | null = 0.25): CurvePoint => ({
  policy,
  variables: {},
  epoch,
  estimate: { mean, halfWidth, n: 5 },
});
const points = ["td3", "pfr-oa"].flatMap((policy) =>
  [0, 1, 2].map((epoch) => point(policy, epoch, 0.25 * epoch + 0.5)),
);
const policyOf = ({ policy }: CurvePoint): string => policy;

it("has a panel per metric over epochs, and every line in the legend", async () => {
  const panels = [
    { title: "Reward per epoch", points },
    { title: "Task success rate", points, levels: [{ policy: "greedy", mean: 0.8 }] },
  ];
  const { svg } = await renderFigure(curveFigure(panels, ["greedy", "td3", "pfr-oa"], policyOf, "a note"));
  const texts = [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
  for (const text of ["Reward per epoch", "Task success rate", "(a)", "(b)", "Greedy", "TD3", "PFR-OA", "a note"]) {
    expect(texts.filter((each) => each === text)).toHaveLength(1);
  }
  expect(texts.filter((text) => text === "Epoch")).toHaveLength(2);
});

it("draws bands no further than a mean can be, and none for one training", () => {
  const panel = { title: "", points: [point("td3", 0, 0.9), point("td3", 1, 0.5, null)], limits: [0, 1] as const };
  const spec = JSON.stringify(curveFigure([panel], ["td3"], policyOf, ""));
  expect(spec).toContain('"mean":0.9,"low":0.65,"high":1}');
  expect(spec).toContain('"mean":0.5,"low":0.5,"high":0.5}');
});

it("draws a level from the first epoch to the last, and no point without a mean", () => {
  const panel = { title: "", points: [...points, point("td3", 9, null)], levels: [{ policy: "fair", mean: 0.75 }] };
  const spec = JSON.stringify(curveFigure([panel], ["fair", "td3", "pfr-oa"], policyOf, ""));
  expect(spec).toContain('[{"policy":"fair","epoch":0,"mean":0.75},{"policy":"fair","epoch":2,"mean":0.75}]');
});

it("lines of values differ in dash and shape, not in colour alone", () => {
  const styles = [0, 1, 2, 3, 4, 5].map((index) => valueStyle(`γ = ${index}`, index));
  for (const part of ["colour", "shape", "dash"] as const) {
    expect(new Set(styles.map((style) => JSON.stringify(style[part]))).size).toBe(6);
  }
});
