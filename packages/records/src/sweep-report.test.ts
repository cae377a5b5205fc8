import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { sweepFigures, writeSweepReport } from "./sweep-report.ts";
import { provenance, provenanceText, sweepRow } from "./sweep-rows.test-helper.ts";
import type { LoopValue } from "./sweep-rows.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "report-"));
});
afterEach(() => rm(folder, { recursive: true }));

const rowsOver = (points: readonly Record<string, LoopValue>[]) =>
  points.flatMap((variables) =>
    ["local", "edge"].flatMap((policy) =>
      ["all", "community-1"].map((community) => sweepRow({ policy, community, variables })),
    ),
  );

it("writes tables and a figure that say where they come from, with the same bytes each time", async () => {
  const rows = rowsOver([{ devices: 3 }, { devices: 13 }]);
  const files = await writeSweepReport(join(folder, "first"), rows, provenance);
  expect(files).toEqual(["table.txt", "table.csv", "table.tex", "figure.svg", "figure.pdf", "figure.png"]);
  for (const file of ["table.txt", "table.csv", "table.tex", "figure.svg"]) {
    expect(await readFile(join(folder, "first", file), "utf8")).toContain(provenanceText);
  }
  await writeSweepReport(join(folder, "second"), rows, provenance);
  for (const file of files) {
    const [first, second] = [await readFile(join(folder, "first", file)), await readFile(join(folder, "second", file))];
    expect(first.length).toBeGreaterThan(100);
    expect(first.equals(second)).toBe(true);
  }
});

it.each<[string, Record<string, LoopValue>[], string[]]>([
  ["nothing", [{}], ["bar"]],
  ["one value", [{ devices: 3 }], ["bar"]],
  ["a word", [{ preset: "paper" }, { preset: "testbed" }], ["bar"]],
  ["a number", [{ devices: 3 }, { devices: 13 }], ["line"]],
  [
    "a number and a word",
    ["paper", "testbed"].flatMap((preset) => [3, 13].map((devices) => ({ devices, preset }))),
    ["line", "line"],
  ],
  ["two numbers", [1, 2].flatMap((a) => [3, 4].map((b) => ({ a, b }))), []],
  ["two words", ["x", "y"].flatMap((a) => ["x", "y"].map((b) => ({ a, b }))), []],
])("a sweep over %s has its figures", (_, points, kinds) => {
  const drawn = sweepFigures(rowsOver(points), provenance).map((spec) => JSON.stringify(spec));
  expect(drawn.map((spec) => (spec.includes('"type":"bar"') ? "bar" : "line"))).toEqual(kinds);
});

it("a figure says which values it is drawn for", () => {
  const [, second] = sweepFigures(
    rowsOver(["paper", "testbed"].flatMap((preset) => [3, 13].map((devices) => ({ devices, preset })))),
    provenance,
  );
  expect(JSON.stringify(second)).toContain(
    `preset: testbed. Error bars: 95 % Student-t intervals over trials; ${provenanceText}`,
  );
  expect(sweepFigures([], provenance)).toEqual([]);
});
