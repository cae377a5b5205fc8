import { expect, it } from "vitest";
import { sweepRow } from "../sweep-rows.test-helper.ts";
import { barFigure } from "./bar-figure.ts";
import { renderFigure } from "./render.ts";

const axis = { variable: "bandwidth_hertz", title: "Bandwidth [MHz]", divisor: 1e6 };
const policies = ["local", "mcf-td3"];
const rows = [5e6, 15e6].flatMap((bandwidth_hertz) =>
  policies.map((policy) => sweepRow({ policy, variables: { bandwidth_hertz } })),
);
const textsOf = (svg: string) => [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);

it("has three panels with a bar per policy", async () => {
  const { svg } = await renderFigure(barFigure(rows.slice(0, 2), undefined, "a note"));
  const texts = textsOf(svg);
  for (const name of ["Local", "MCF-TD3"]) expect(texts.filter((text) => text === name)).toHaveLength(3);
  for (const text of ["(a)", "(b)", "(c)", "Task success rate", "a note"]) expect(texts).toContain(text);
  expect(svg.match(/aria-roledescription="bar"/g)).toHaveLength(6);
});

it("has a bar per policy and value of the axis, which the legend names", async () => {
  const { svg } = await renderFigure(barFigure(rows, axis, ""));
  expect(svg.match(/aria-roledescription="bar"/g)).toHaveLength(12);
  expect(textsOf(svg)).toEqual(expect.arrayContaining(["Bandwidth [MHz]", "5", "15"]));
});

it("refuses rows that would lie on top of each other", () => {
  expect(() => barFigure(rows, undefined, "")).toThrow(RangeError);
});
