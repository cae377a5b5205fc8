import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const failures = readFileSync(join(root, "docs/failures.md"), "utf8");

test("README has at most 120 lines", () => {
  expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(120);
});

test("docs/failures.md lists every failure code, and no other", () => {
  const source = readFileSync(join(root, "packages/protocol/src/failure.ts"), "utf8");
  const union = /export type FailureCode =([^;]*);/.exec(source)?.[1] ?? "";
  const codes = [...union.matchAll(/"([a-z-]+\/[a-z-]+)"/g)].map((match) => match[1]);
  const listed = [...failures.matchAll(/^\| `([a-z-]+\/[a-z-]+)` \|/gm)].map((match) => match[1]);
  expect(codes.length).toBeGreaterThan(5);
  expect(listed.sort()).toEqual(codes.sort());
});

test("README names only files and commands that exist", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  for (const [, script] of readme.matchAll(/npm run ([a-z:]+)/g)) expect(scripts).toHaveProperty([script as string]);
  for (const [path] of readme.matchAll(/(?:packages|apps|experiments|scripts|docs)\/[\w./-]+\.\w+/g)) {
    expect(() => readFileSync(join(root, path))).not.toThrow();
  }
});
