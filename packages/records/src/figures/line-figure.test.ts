import { expect, it } from "vitest";
import { sweepRow } from "../sweep-rows.test-helper.ts";
import { lineFigure } from "./line-figure.ts";
import { renderFigure } from "./render.ts";

const axis = { variable: "bandwidth_hertz", title: "Bandwidth [MHz]", divisor: 1e6 };
const rows = ["pfr-oa", "local"].flatMap((policy) =>
  [15e6, 5e6].map((bandwidth_hertz) => sweepRow({ policy, variables: { bandwidth_hertz } })),
);

it("has a panel per metric, a title with the unit on every axis, and every policy in the legend", async () => {
  const { svg } = await renderFigure(lineFigure(rows, axis, "a note"));
  const texts = [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
  for (const title of [
    "Reward per epoch",
    "Task success rate",
    "Average energy consumption [J]",
    "Average waiting time [s]",
  ]) {
    expect(texts.filter((text) => text === title)).toHaveLength(1);
  }
  expect(texts.filter((text) => text === "Bandwidth [MHz]")).toHaveLength(4);
  for (const text of ["(a)", "(b)", "(c)", "(d)", "Local", "PFR-OA", "a note"]) expect(texts).toContain(text);
});

it("draws the given values in the order of policies, whatever the order of rows", () => {
  const spec = JSON.stringify(lineFigure(rows, axis, ""));
  expect(spec).toContain('"mean":0.75,"low":0.25,"high":1}');
  expect(JSON.stringify(lineFigure([...rows].reverse(), axis, ""))).toBe(spec);
});

it("refuses two rows for one point, and an axis that is no number", () => {
  expect(() => lineFigure([...rows, ...rows], axis, "")).toThrow(RangeError);
  expect(() => lineFigure(rows, { ...axis, variable: "devices" }, "")).toThrow(RangeError);
});
