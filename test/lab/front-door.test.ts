import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
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
  expect(stdout).toMatch(/PFR-OA|pfr-oa/);
  const checked = await offload("check", archive);
  expect(checked.code, checked.stdout).toBe(0);
  const reported = await offload("report", archive);
  expect(reported.code, reported.stderr).toBe(0);
}, 1_800_000);
