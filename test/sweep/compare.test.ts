import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DifferenceRow, FalseAlarms, Sizing } from "@offloadlab/records";
import { afterAll, expect, test } from "vitest";
import { offload } from "../lab/rehearsal-process.ts";

const folder = mkdtempSync(join(tmpdir(), "compare-"));
afterAll(() => rmSync(folder, { recursive: true }));
const manifest = join(folder, "experiment.yaml");
writeFileSync(manifest, "name: small\npreset: testbed\npolicies: [local, fair, greedy]\nrepetitions: 4\nseed: 1\n");

const compare = (...args: string[]) => offload("compare", ...args, "--on", "simulator", "--format", "json");
const dataOf = <T>(stdout: string): T => (JSON.parse(stdout) as { data: T }).data;

interface Compared {
  readonly differences: readonly DifferenceRow[];
  readonly sizing?: Sizing & { readonly run: number };
}
const widest = (differences: readonly DifferenceRow[], n: number): number =>
  Math.max(
    ...differences
      .filter(({ community }) => community === "all")
      .map(({ energyJoules: { interval, n: pairs } }) => {
        expect(pairs).toBe(n);
        return interval === null ? Number.POSITIVE_INFINITY : (interval[1] - interval[0]) / 2;
      }),
  );

test("runs as many repetitions as a wanted resolution takes, on arrivals that the pilot did not see", async () => {
  const pilot = dataOf<Compared>((await compare(manifest)).stdout);
  expect(pilot.sizing).toBeUndefined();
  const half = widest(pilot.differences, 4);
  const { code, stdout, stderr } = await compare(manifest, "--resolve", "energy=0.3", "--max-repetitions", "500");
  expect(code, stderr).toBe(0);
  const { sizing, differences } = dataOf<Compared>(stdout);
  expect(sizing?.run).toBe(Math.ceil(4 * (half / 0.3) ** 2));
  expect(sizing?.run).toBeGreaterThan(4);
  // The pilot's spread is of four pairs: the goal is met about, not exactly.
  expect(widest(differences, sizing?.run as number)).toBeLessThan(0.45);
  const own = await compare(manifest, "--repetitions", String(sizing?.run), "--seed", "2");
  expect(dataOf<Compared>(own.stdout).differences).toEqual(differences);
});

test("stays below the most repetitions, and says that the resolution is not reached", async () => {
  const args = [manifest, "--on", "simulator", "--resolve", "success=0.001", "--max-repetitions", "6"];
  const { code, stdout } = await offload("compare", ...args);
  expect(code).toBe(0);
  expect(stdout).toMatch(/± 0.001 takes \d{3,} repetitions, more than --max-repetitions: 6 are run/);
  expect(stdout).toMatch(/success: wanted ± 0.001, not reached: the widest of 3 is ± 0\.\d+/);
});

test("compares a policy with itself: a false alarm in about one of twenty, in each metric", async () => {
  const { code, stdout, stderr } = await compare("--aa", "greedy", "--comparisons", "60", "--repetitions", "5");
  expect(code, stderr).toBe(0);
  const { falseAlarms, pairs } = dataOf<{ falseAlarms: FalseAlarms[]; pairs: number }>(stdout);
  expect(pairs).toBe(5);
  expect(falseAlarms).toHaveLength(4);
  for (const { test: alarms } of falseAlarms) {
    expect(alarms.n).toBe(60);
    expect(alarms.interval[0]).toBeLessThan(0.05);
  }
  // Trials with the same arrivals could not differ at all.
  expect(falseAlarms.some(({ test: alarms, bootstrap }) => alarms.count + bootstrap.count > 0)).toBe(true);
});

test("refuses what cannot be compared", async () => {
  expect(await compare()).toMatchObject({ code: 4, stderr: expect.stringContaining("or --aa POLICY") });
  const one = await compare(manifest, "--policies", "fair", "--resolve", "energy=1");
  expect(one).toMatchObject({ code: 4, stderr: expect.stringContaining("at least two policies") });
  const wrong = await compare(manifest, "--resolve", "speed=1");
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("success, energy, waiting, reward") });
});
