import { readdirSync } from "node:fs";
import { join } from "node:path";
import { checkArchive, type JournalRecord, type Replay, readRun } from "@offloadlab/records";
import { afterAll, beforeAll, expect, test } from "vitest";
import { completeRun, type Ended, offload, RehearsalProcess } from "./rehearsal-process.ts";

let rehearsal: RehearsalProcess | undefined;
let ended: Ended;
let archive: string;
let records: readonly JournalRecord[];

beforeAll(async () => {
  await completeRun(async () => {
    await rehearsal?.remove();
    rehearsal = new RehearsalProcess([], {
      ...{ policies: ["pfr-oa", "fair"], repetitions: 2, clock_speed_ratio: 1 },
      ...{ training: { epochs: 2 }, learning: {} },
    });
    ended = await rehearsal.ended;
    return ended.stderr;
  });
  archive = (JSON.parse(ended.stdout) as { data: { archive: string } }).data.archive;
  records = [...(await readRun(archive)).journals.values()].flat();
}, 600_000);
afterAll(() => rehearsal?.remove());

test("a method is trained before the run, deployed, and compared with the others", () => {
  expect(ended.stderr).toMatch(/pfr-oa: 2 epochs in the simulator/);
  const { data } = JSON.parse(ended.stdout) as { data: { rows: { policy: string; community: string }[] } };
  const all = data.rows.filter(({ community }) => community === "all").map(({ policy }) => policy);
  expect(all).toEqual(["fair", "pfr-oa"]);
  expect(readdirSync(join(archive, "policies"))).toEqual(["pfr-oa.safetensors"]);
});

test("it learns from the tasks of its trials, on every server", () => {
  const learned = records.flatMap((record) => (record.kind === "learning" ? [record] : []));
  expect(learned).toHaveLength(2 * 3);
  for (const { policy, transitions, discarded, epoch } of learned) {
    expect(policy).toBe("pfr-oa");
    expect([3, 4]).toContain(epoch);
    // 16 sub-slots; of one that a report missed, nothing is learned.
    expect(transitions + discarded).toBe(16);
    expect(transitions).toBeGreaterThan(8);
  }
  expect(learned.some(({ updates }) => updates > 8)).toBe(true);
});

test("its rewards follow from the archive, one for each task of its trials", async () => {
  expect((await checkArchive(archive)).problems).toEqual([]);
  const own = new Set((await readRun(archive)).trials.filter(({ policy }) => policy === "pfr-oa").map((t) => t.number));
  const tasks = (kind: "reward" | "outcome"): string[] =>
    records.flatMap((each) => (each.kind === kind && own.has(each.trial) ? [`${each.trial} ${each.task}`] : [])).sort();
  expect(tasks("reward").length).toBeGreaterThan(20);
  expect(tasks("reward")).toEqual(tasks("outcome"));
});

test("the simulator repeats its trials with the agents that were deployed", async () => {
  const { code, stdout, stderr } = await offload("replay", archive, "--format", "json");
  expect(code, stderr).toBe(0);
  const { data } = JSON.parse(stdout) as { data: Replay };
  expect(data.policies.map(({ policy, trials }) => [policy, trials])).toEqual([
    ["fair", 2],
    ["pfr-oa", 2],
  ]);
});
