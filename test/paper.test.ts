import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, it } from "vitest";

/** All that the paper numbers: system model and formulation, §III, and the algorithms, §IV. */
const equations = Array.from({ length: 25 }, (_, i) => i + 1);

const root = join(import.meta.dirname, "..");
const isTest = (file: string): boolean => /\.(test|test-helper|bench)\.ts$/.test(file);

const files = readdirSync(join(root, "packages"), { recursive: true, encoding: "utf8" })
  .filter((file) => /^[^/\\]+[/\\]src[/\\].*\.ts$/.test(file))
  .map((file) => join(root, "packages", file));
const sources = files.filter((file) => !isTest(file));
const tests = files.filter((file) => file.endsWith(".test.ts"));

/** Every match of a pattern's first group, with the file that it is in. */
const find = (where: readonly string[], pattern: RegExp): { file: string; text: string }[] =>
  where.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(pattern)].map((match) => ({
      file: relative(root, file),
      text: match[1] as string,
    })),
  );

const docstrings = find(sources, /\/\*\*([\s\S]*?)\*\//g);
const titles = find(tests, /\b(?:it|test|describe)(?:\.\w+(?:\([\s\S]*?\))?)?\(\s*["'`]([^"'`\n]*)/g);

/** The equations that a docstring has as its source: a line of its own, `Eq. (n): formula`. */
const sourcesOf = (docstring: string): number[] =>
  [...docstring.matchAll(/^[ *]*Eq\. \((\d+)\):/gm)].map((match) => Number(match[1]));

it("finds the docstrings and the titles that it judges", () => {
  expect(docstrings.some(({ file }) => file.endsWith("radio.ts"))).toBe(true);
  expect(titles.some(({ text }) => text.startsWith("Eq. (5) grows"))).toBe(true);
});

it.each(equations)("equation %d is the source of exactly one docstring", (equation) => {
  const tagged = docstrings.filter(({ text }) => sourcesOf(text).includes(equation));
  expect(tagged.map(({ file }) => file)).toHaveLength(1);
});

it.each(equations)("equation %d is named in the title of a test", (equation) => {
  expect(titles.filter(({ text }) => text.includes(`Eq. (${equation})`))).not.toEqual([]);
});

it("no equation beyond these is implemented twice", () => {
  const numbers = docstrings.flatMap(({ text }) => sourcesOf(text));
  expect(numbers.filter((number, i) => numbers.indexOf(number) !== i)).toEqual([]);
});
