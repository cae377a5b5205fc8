import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readRun } from "@offloadlab/records";
import { expect, test } from "vitest";
import { collect, completeRun, offload } from "./rehearsal-process.ts";

const root = join(import.meta.dirname, "../..");

test("`npm start` without a terminal ends with a complete run, which is checked from its files alone and reported", async () => {
  let stdout = "";
  await completeRun(async () => {
    const ended = await collect(spawn("npm", ["start"], { cwd: root, stdio: ["ignore", "pipe", "pipe"] }));
    stdout = ended.stdout;
    return ended.stderr;
  });
  console.log(stdout);
  const runs = join(root, "runs");
  const archive = join(runs, readdirSync(runs).sort().at(-1) as string);
  expect(stdout).toContain(archive.split("/").at(-1));
  // A row for each policy, PFR-OA's learning and its rounds, and Fig. 11.
  for (const policy of ["local", "edge", "greedy", "fair", "pfr-oa"])
    expect(stdout).toMatch(new RegExp(`^${policy} +all `, "m"));
  const { journals } = await readRun(archive);
  const kinds = (node: string) => new Set((journals.get(node) ?? []).map(({ kind }) => kind));
  expect(kinds("cbs")).toContain("round");
  for (const server of ["mec-1", "mec-2", "mec-3"]) expect(kinds(server)).toContain("learning");
  const figures = join(root, ".offload/figures", archive.split("/").at(-1) as string);
  for (const format of ["svg", "pdf", "png"]) expect(existsSync(join(figures, `fig11.${format}`)), format).toBe(true);
  const checked = await offload("check", archive);
  expect(checked.code, checked.stdout).toBe(0);
  const reported = await offload("report", archive);
  expect(reported.code, reported.stderr).toBe(0);
}, 1_800_000);
