import { beforeAll, expect, it } from "vitest";
import { sweepRow } from "../sweep-rows.test-helper.ts";
import { lineFigure } from "./line-figure.ts";
import { type RenderedFigure, renderFigure } from "./render.ts";

const axis = { variable: "devices", title: "Devices" };
const rows = ["edge", "greedy", "pfr-oa"].flatMap((policy) =>
  [5, 10].map((devices) => sweepRow({ policy, variables: { devices } })),
);
const spec = lineFigure(rows, axis, "a note");

let figure: RenderedFigure;
beforeAll(async () => {
  figure = await renderFigure(spec);
});

it("the same figure gives the same bytes", async () => {
  const again = await renderFigure(spec);
  expect(again.svg).toBe(figure.svg);
  expect(Buffer.compare(again.pdf, figure.pdf)).toBe(0);
  expect(Buffer.compare(again.png, figure.png)).toBe(0);
});

it("the SVG has text as text, and the width of two columns", () => {
  expect(figure.svg).toMatch(/^<svg [^>]* width="515pt" height="\d+pt" viewBox="0 0 515 \d+"/);
  expect(figure.svg).toMatch(/<text [^>]*font-family="Arimo, Arial, Helvetica, sans-serif"/);
});

it("the PDF is a page of vectors without a date, all of whose fonts are embedded TrueType", () => {
  const text = Buffer.from(figure.pdf).toString("latin1");
  expect(text).toMatch(/^%PDF-1\.4/);
  expect(text).toMatch(/\/MediaBox \[0 0 515 \d+\]/);
  expect(new Set(text.match(/\/BaseFont \/\S+/g))).toEqual(
    new Set(["/BaseFont /AAAAAA+Arimo-Regular", "/BaseFont /BAAAAA+Arimo-Bold"]),
  );
  expect(text).toContain("/FontFile2");
  expect(text).not.toMatch(/\/Type3|\/Subtype \/Image|\/CreationDate|\/ModDate|\/ID/);
});

it("the PNG has 300 dots per inch", () => {
  const png = Buffer.from(figure.png);
  expect(png.readUInt32BE(16)).toBe(Math.round((515 / 72) * 300));
  const chunk = png.indexOf("pHYs");
  expect([png.readUInt32BE(chunk + 4), png.readUInt32BE(chunk + 8), png[chunk + 12]]).toEqual([11811, 11811, 1]);
});
