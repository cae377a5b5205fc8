import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { chunksOf, jobScript, rangesOf } from "./slurm-job.ts";

const trials = fc.uniqueArray(fc.integer({ min: 1, max: 500 })).map((all) => all.sort((one, other) => one - other));
const counts = fc.integer({ min: 1, max: 60 });

test("chunks have every trial once and in order, in few tasks of equal size", () => {
  fc.assert(
    fc.property(trials, counts, counts, (all, maxTasks, minTrials) => {
      const chunks = chunksOf(all, { maxTasks, minTrials });
      expect(chunks.flat()).toEqual(all);
      expect(chunks.length).toBeLessThanOrEqual(maxTasks);
      const sizes = chunks.map(({ length }) => length);
      expect(Math.max(...sizes, 0) - Math.min(...sizes, Math.max(...sizes, 0))).toBeLessThanOrEqual(1);
      expect(sizes.every((size) => size >= Math.min(minTrials, all.length))).toBe(true);
    }),
  );
});

test("chunks are as many as may be, unless a task would have too few trials", () => {
  expect(chunksOf([1, 2, 3, 4, 5], { maxTasks: 2 })).toEqual([
    [1, 2],
    [3, 4, 5],
  ]);
  expect(chunksOf([1, 2, 3, 4, 5], { maxTasks: 9, minTrials: 3 })).toEqual([[1, 2, 3, 4, 5]]);
  expect(chunksOf([], { maxTasks: 9 })).toEqual([]);
  expect(() => chunksOf([1], { maxTasks: 0 })).toThrow(RangeError);
});

test("ranges are short and name every trial", () => {
  expect(rangesOf([1, 2, 3, 4, 7, 9, 10])).toBe("1-4,7,9-10");
  fc.assert(
    fc.property(trials, (all) => {
      const named = rangesOf(all)
        .split(",")
        .filter((range) => range !== "")
        .flatMap((range) => {
          const [first = 0, last = first] = range.split("-").map(Number);
          return Array.from({ length: last - first + 1 }, (_, index) => first + index);
        });
      expect(named).toEqual(all);
    }),
  );
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "it's $HOME-"));
  mkdirSync(join(folder, "trials"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs the second task's script with a command that notes its arguments and then does what it is told. */
const runSecond = (does: string): { status: number | null; calls: string[] } => {
  const command = ["bash", "-c", `echo "$0 $1 $2" >> "$1/calls"; ${does}`];
  writeFileSync(join(folder, "job.sh"), jobScript(folder, command, [[1], [3, 4, 5, 8]]));
  const env = { ...process.env, SLURM_ARRAY_TASK_ID: "1" };
  const { status } = spawnSync("bash", [join(folder, "job.sh")], { env, stdio: "ignore" });
  return { status, calls: readFileSync(join(folder, "calls"), "utf8").trimEnd().split("\n") };
};

test("a task runs its trials in one process", () => {
  expect(runSecond("true")).toEqual({ status: 0, calls: [`trial ${folder} 3-5,8`] });
});

test("when that fails, what is not done runs once more, one by one, and the task fails if one does", () => {
  writeFileSync(join(folder, "trials", "4.json"), "{}");
  expect(runSecond('case "$2" in 5) kill -9 $$;; 8) true;; *) exit 3;; esac')).toEqual({
    status: 137,
    calls: [`trial ${folder} 3-5,8`, `trial ${folder} 3`, `trial ${folder} 5`, `trial ${folder} 8`],
  });
});
