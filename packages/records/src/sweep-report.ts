import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TopLevelSpec } from "vega-lite";
import { barFigure } from "./figures/bar-figure.ts";
import { lineFigure } from "./figures/line-figure.ts";
import { renderFigure } from "./figures/render.ts";
import { axisOf, type LoopAxis, loopPoint, varyingVariables } from "./loop-axis.ts";
import { type Provenance, provenanceLine } from "./provenance.ts";
import { sweepCsv } from "./sweep-csv.ts";
import { sweepLatex } from "./sweep-latex.ts";
import type { SweepRow } from "./sweep-rows.ts";
import { sweepTable } from "./sweep-table.ts";

/**
 * Writes what a paper needs of a sweep into a folder: `table.txt`, `table.csv`, `table.tex`, and its figures as `.svg`,
 * `.pdf` and `.png`. The same rows give the same bytes.
 *
 * @param axes how loop variables are shown; those without one by their names
 * @param withFigures false leaves the figures out
 * @returns the names of the files
 */
export const writeSweepReport = async (
  folder: string,
  rows: readonly SweepRow[],
  provenance: Provenance,
  axes: readonly LoopAxis[] = [],
  withFigures = true,
): Promise<string[]> => {
  const caption = `Comparison of policies (${provenance.sweep})`;
  const label = `tab:${provenance.sweep.replace(/[^A-Za-z0-9-]+/g, "-")}`;
  const files: File[] = [
    ["table.txt", sweepTable(rows, provenance)],
    ["table.csv", sweepCsv(rows, provenance)],
    ["table.tex", sweepLatex(rows, { caption, label, provenance, axes })],
  ];
  const specs = withFigures ? sweepFigures(rows, provenance, axes) : [];
  for (const [index, spec] of specs.entries()) {
    const name = specs.length === 1 ? "figure" : `figure-${index + 1}`;
    files.push(...(await figureFiles(name, spec)));
  }
  return writeAll(folder, files);
};

/** Writes a figure as `.svg`, `.pdf` and `.png`. Returns the names of the files. */
export const writeFigure = async (folder: string, name: string, spec: TopLevelSpec): Promise<string[]> =>
  writeAll(folder, await figureFiles(name, spec));

type File = readonly [name: string, content: string | Uint8Array];

const figureFiles = async (name: string, spec: TopLevelSpec): Promise<File[]> => {
  const { svg, pdf, png } = await renderFigure(spec);
  return [
    [`${name}.svg`, svg],
    [`${name}.pdf`, pdf],
    [`${name}.png`, png],
  ];
};

const writeAll = async (folder: string, files: readonly File[]): Promise<string[]> => {
  await mkdir(folder, { recursive: true });
  for (const [file, content] of files) await writeFile(join(folder, file), content);
  return files.map(([file]) => file);
};

/**
 * The figures of a sweep, over all its communities: bars for a sweep over nothing, or over one variable that is no
 * number; lines over a numeric variable, once for every combination of the others. None for two numeric variables or
 * two that are no numbers: what belongs on the axis is then the reader's choice.
 */
export const sweepFigures = (
  rows: readonly SweepRow[],
  provenance: Provenance,
  axes: readonly LoopAxis[] = [],
): TopLevelSpec[] => {
  const own = rows.filter(({ community }) => community === "all");
  const note = (variables: SweepRow["variables"]): string => {
    const point = loopPoint(variables, axes);
    const source = `Error bars: 95 % Student-t intervals over trials; ${provenanceLine(provenance)}`;
    return point === "" ? source : `${point}. ${source}`;
  };
  const varying = varyingVariables(own);
  const [first] = own;
  if (first === undefined) return [];
  const numeric = [...varying].filter(([, values]) => values.every((value) => typeof value === "number"));
  const [variable] = numeric[0] ?? [...varying][0] ?? [];
  if (numeric.length === 1 && variable !== undefined) {
    const points = new Map<string, SweepRow[]>();
    for (const row of own) {
      const key = note(without(row.variables, variable));
      points.set(key, [...(points.get(key) ?? []), row]);
    }
    return [...points].map(([note, rows]) => lineFigure(rows, axisOf(variable, axes), note));
  }
  if (varying.size > 1) return [];
  if (variable === undefined) return [barFigure(own, undefined, note(first.variables))];
  return [barFigure(own, axisOf(variable, axes), note(without(first.variables, variable)))];
};

const without = (variables: SweepRow["variables"], name: string): SweepRow["variables"] =>
  Object.fromEntries(Object.entries(variables).filter(([variable]) => variable !== name));
