import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { offload } from "../lab/rehearsal-process.ts";

const folder = mkdtempSync(join(tmpdir(), "sweep-"));
afterAll(() => rmSync(folder, { recursive: true }));

const cli = join(import.meta.dirname, "../../apps/cli/bin/offload.mjs");

const manifest = join(folder, "sweep.yaml");
writeFileSync(
  manifest,
  `name: killed
preset: paper
policies: [greedy, fair]
loop: {communities.each.bandwidth_hertz: [5e6, 15e6]}
repetitions: 10
epochs: 100
seed: 3
`,
);
const trialCount = 40;

const sweepInto = (out: string): string[] => ["sweep", manifest, "--processes", "2", "--out", out, "--format", "json"];
const doneIn = (out: string): string[] => {
  try {
    return readdirSync(join(out, "trials")).filter((name) => /^\d+\.json$/.test(name));
  } catch {
    return [];
  }
};

/** The bytes that a sweep leaves for its reader. */
const resultsOf = async (out: string): Promise<Record<string, string>> => {
  const { code, stderr } = await offload("report", out);
  expect(code, stderr).toBe(0);
  const report = join(out, "report");
  return Object.fromEntries([
    ["results.parquet", readFileSync(join(out, "results.parquet"), "base64")],
    ...readdirSync(report).map((name) => [name, readFileSync(join(report, name), "base64")]),
  ]);
};

test("a sweep of 40 trials that is killed three times ends with the bytes of one that is not, and repeats nothing", async () => {
  const whole = join(folder, "whole");
  const first = await offload(...sweepInto(whole));
  expect(first.code, first.stderr).toBe(0);

  const killed = join(folder, "killed");
  const made = new Map<string, number>();
  for (const enough of [5, 15, 25]) {
    const child: ChildProcess = spawn(process.execPath, [cli, ...sweepInto(killed)], {
      stdio: "ignore",
      detached: true,
    });
    await expect.poll(() => doneIn(killed).length, { timeout: 60_000, interval: 20 }).toBeGreaterThanOrEqual(enough);
    // The first two times only the command dies; its trials must notice. The third time all of them die.
    if (enough < 25) child.kill("SIGKILL");
    else process.kill(-(child.pid as number), "SIGKILL");
    await once(child, "exit");
    for (const name of doneIn(killed)) made.set(name, made.get(name) ?? statSync(join(killed, "trials", name)).mtimeMs);
  }
  expect(doneIn(killed).length).toBeLessThan(trialCount);

  const last = await offload(...sweepInto(killed));
  expect(last.code, last.stderr).toBe(0);
  expect(JSON.parse(last.stdout).data.made).toBeLessThan(trialCount - 20);
  expect(doneIn(killed)).toHaveLength(trialCount);
  for (const [name, time] of made) expect(statSync(join(killed, "trials", name)).mtimeMs, name).toBe(time);
  expect(await resultsOf(killed)).toEqual(await resultsOf(whole));
});

test("the same sweep once more makes nothing and says the same", async () => {
  const again = await offload(...sweepInto(join(folder, "whole")));
  const { data } = JSON.parse(again.stdout) as { data: { made: number; rows: unknown[] } };
  expect(data.made).toBe(0);
  expect(data.rows).toHaveLength(16);
});

test("one process that makes all trials gives the bytes that many processes give", async () => {
  const many = join(folder, "many");
  const one = join(folder, "one");
  const short = ["--epochs", "2"];
  const first = await offload(...sweepInto(many), ...short);
  expect(first.code, first.stderr).toBe(0);
  cpSync(many, one, { recursive: true, filter: (path) => !/trials\/|parquet|report/.test(path) });
  const alone = await offload("trial", one, "1-40");
  expect(alone.code, alone.stderr).toBe(0);
  const rest = await offload(...sweepInto(one), ...short);
  expect(JSON.parse(rest.stdout).data.made).toBe(0);
  expect(await resultsOf(one)).toEqual(await resultsOf(many));
});

test("another sweep in its folder is refused", async () => {
  const { code, stderr } = await offload(...sweepInto(join(folder, "whole")), "--seed", "4");
  expect(code).toBe(4);
  expect(stderr).toContain("holds another sweep: give this one a folder of its own");
});

test("a trial that fails ends the sweep with what it said, and what is done stays", async () => {
  const out = join(folder, "failing");
  const first = await offload(...sweepInto(out), "--epochs", "1");
  expect(first.code, first.stderr).toBe(0);
  rmSync(join(out, "trials", "7.json"));
  const plan = join(out, "plan.json");
  const text = readFileSync(plan, "utf8");
  writeFileSync(plan, text.replace(/"format":\d+/, '"format":0'));
  const failed = await offload("trial", out, "7");
  expect(failed.code).not.toBe(0);
  expect(failed.stderr).toMatch(/expected a plan of format \d+, got 0/);
  writeFileSync(plan, text);
  const last = await offload(...sweepInto(out), "--epochs", "1");
  expect(JSON.parse(last.stdout).data.made).toBe(1);
});

test.each([
  ["simulate", "--preset", "papier", "`preset` must be one of paper, paper-physical, testbed"],
  ["simulate", "--policies", "local,gready", "`policies.1` must be one of"],
  ["simulate", "--set", "deadline_seconds", "--set: expected <path>=<value>"],
  ["simulate", "--set", "deadline_seconds=-1", "`settings.deadline_seconds` must be more than 0, got -1"],
  ["sweep", join(folder, "gone.yaml"), "cannot be read"],
])("offload %s %s %s: exit 4 with what is wrong", async (...args) => {
  const message = args.at(-1) as string;
  const { code, stderr } = await offload(...args.slice(0, -1));
  expect(code, stderr).toBe(4);
  expect(stderr).toContain(message);
});
