import { readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { outcomes } from "@offloadlab/model";
import { checkArchive, deviceOf, type Replay, readRun, taskFates } from "@offloadlab/records";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { completeRun, type Ended, isAlive, type LabFile, offload, RehearsalProcess } from "./rehearsal-process.ts";

describe("a rehearsal without a terminal", () => {
  let rehearsal: RehearsalProcess | undefined;
  let lab: LabFile;
  let ended: Ended;
  let archive: string;

  beforeAll(async () => {
    await completeRun(async () => {
      await rehearsal?.remove();
      rehearsal = new RehearsalProcess([], { policies: ["local", "edge", "greedy", "fair"] });
      await rehearsal.line(/trial 1 of 4/);
      lab = rehearsal.lab();
      ended = await rehearsal.ended;
      return ended.stderr;
    });
    archive = (JSON.parse(ended.stdout) as { data: { archive: string } }).data.archive;
  }, 300_000);
  afterAll(() => rehearsal?.remove());

  test("ends by itself with a complete run and a row for each policy and community", () => {
    expect(ended.code, ended.stderr).toBe(0);
    const { data } = JSON.parse(ended.stdout) as {
      data: { state: string; rows: { policy: string; community: string }[] };
    };
    expect(data.state).toBe("complete");
    expect(
      data.rows
        .filter(({ community }) => community === "all")
        .map(({ policy }) => policy)
        .sort(),
    ).toEqual(["edge", "fair", "greedy", "local"]);
    expect(data.rows).toHaveLength(4 * 4);
  });

  test("draws Fig. 11, outside of the sealed archive", () => {
    const { figures } = (JSON.parse(ended.stdout) as { data: { figures: string[] } }).data;
    expect(figures.map((file) => basename(file)).sort()).toEqual(["fig11.pdf", "fig11.png", "fig11.svg"]);
    for (const file of figures) expect(relative(archive, file)).toMatch(/^\.\./);
    const svg = readFileSync(figures.find((file) => file.endsWith("svg")) as string, "utf8");
    for (const policy of ["Local", "Edge", "Greedy", "Fair"]) expect(svg).toContain(policy);
  });

  test("runs thirteen processes of its own and leaves none behind", () => {
    const pids = Object.values(lab.nodes);
    expect(new Set(pids).size).toBe(13);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test("generated = sum of outcomes, for each device and overall", async () => {
    const { journals } = await readRun(archive);
    const fates = taskFates(journals);
    expect(fates.length).toBeGreaterThan(50);
    for (const [node, records] of journals) {
      if (!node.startsWith("ed-")) continue;
      const generated = records.filter(({ kind }) => kind === "generated").length;
      const ends = records.filter(({ kind }) => kind === "outcome").length;
      expect({ node, ends }).toEqual({ node, ends: generated });
      expect(fates.filter(({ task }) => deviceOf(task) === node)).toHaveLength(generated);
    }
    for (const { ends } of fates) expect(outcomes).toContain(ends[0]?.outcome);
  });

  test("every policy sees the same arrivals, sizes and images", async () => {
    const { journals } = await readRun(archive);
    const tasks = (trial: number): string[] =>
      [...journals.values()].flat().flatMap((record) => {
        if (record.kind !== "generated" || record.trial !== trial) return [];
        const { task, arrivalSeconds, dataBytes, workCycles, image } = record;
        return [JSON.stringify({ task, arrivalSeconds, dataBytes, workCycles, image })];
      });
    const first = tasks(1).sort();
    for (const trial of [2, 3, 4]) expect(tasks(trial).sort()).toEqual(first);
  });

  test("classifies with the embedded model: of the images, it labels at least 95 in 100 right, everywhere and always", async () => {
    const { journals } = await readRun(archive);
    const records = [...journals.values()].flat();
    const imageOf = new Map(
      records.flatMap((record) =>
        record.kind === "generated" ? [[`${record.trial} ${record.task}`, record.image] as const] : [],
      ),
    );
    // By image, not by task: a few images are drawn again and again, and one that is hard would count as often.
    const isRight = new Map<number | undefined, boolean>();
    for (const record of records) {
      if (record.kind !== "outcome" || record.label === null || record.expectedLabel === null) continue;
      const image = imageOf.get(`${record.trial} ${record.task}`);
      isRight.set(image, (isRight.get(image) ?? true) && record.label === record.expectedLabel);
    }
    expect(isRight.size).toBeGreaterThan(20);
    expect([...isRight.values()].filter(Boolean).length / isRight.size).toBeGreaterThanOrEqual(0.95);
  });

  test("its archive is accepted by the checker and reported by the CLI", async () => {
    expect((await checkArchive(archive)).problems).toEqual([]);
    const checked = await offload("check", archive, "--format", "json");
    expect(checked.code, checked.stderr).toBe(0);
    const reported = await offload("report", archive);
    expect(reported.stdout).toMatch(/policy +community/);
    expect(reported.stdout).toMatch(/transmission error over \d+ uploads/);
  });

  test("goes as in the simulator, but for tasks whose lanes or deadlines were met a moment later", async () => {
    const { code, stdout, stderr } = await offload("replay", archive, "--format", "json");
    expect(code, stderr).toBe(0);
    const { data } = JSON.parse(stdout) as { data: Replay };
    expect(data.policies.map(({ policy }) => policy)).toEqual(["local", "edge", "greedy", "fair"]);
    for (const { policy, tasks, differing, causes } of data.policies) {
      // The limits are for means over hundreds of tasks; here one task is nearly as much as the success may differ by.
      expect(differing, `${policy}: ${JSON.stringify(causes)}`).toBeLessThanOrEqual(0.3 * tasks);
      expect(causes.map(({ cause }) => cause)).not.toContain("unknown");
    }
    expect((await offload("replay", archive)).stdout).toMatch(/policy +measure +laboratory +simulator/);
  });

  test("labels what is emulated", async () => {
    const { journals } = await readRun(archive);
    for (const record of [...journals.values()].flat()) {
      if (record.kind === "battery") expect(record.method).toBe("emulated");
      if (record.kind === "outcome") expect(record.energyMethod).toBe("emulated");
    }
    expect(JSON.parse(readFileSync(join(archive, "environment/ed-1-1.json"), "utf8"))).toMatchObject({
      hardware: "emulated",
    });
    expect(ended.stderr).toContain("hardware is emulated, clock 1.5x");
  });
});
