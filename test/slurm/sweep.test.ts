import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { offload } from "../lab/rehearsal-process.ts";
import { SingleNode, slurmAbsent } from "./single-node.ts";

const manifest = `name: cluster
preset: paper
policies: [greedy, fair]
loop: {communities.each.bandwidth_hertz: [5e6, 15e6]}
repetitions: 10
epochs: 20
seed: 3
`;

describe.skipIf(slurmAbsent !== undefined)("a sweep of 40 trials through Slurm", () => {
  let node: SingleNode;
  let file: string;

  beforeAll(async () => {
    node = await SingleNode.start();
    process.env["SLURM_CONF"] = node.configFile;
    file = join(node.folder, "cluster.yaml");
    writeFileSync(file, manifest);
  });
  afterAll(async () => {
    await node?.stop();
    delete process.env["SLURM_CONF"];
  });

  test("gives the bytes of one on this machine, and repeats nothing", { timeout: 180_000 }, async () => {
    const here = join(node.folder, "here");
    const there = join(node.folder, "there");
    const local = await offload("sweep", file, "--out", here);
    expect(local.code, local.stderr).toBe(0);
    const cluster = await offload("sweep", file, "--out", there, "--on", "slurm", "--processes", "2");
    expect(cluster.code, cluster.stderr).toBe(0);
    expect(cluster.stderr).toMatch(/submitted job \d+: 40 trials in 10 tasks/);
    expect(readFileSync(join(there, "results.parquet")).equals(readFileSync(join(here, "results.parquet")))).toBe(true);

    const trials = join(there, "trials");
    const times = () => readdirSync(trials).map((name) => [name, statSync(join(trials, name)).mtimeMs]);
    const before = times();
    expect(before).toHaveLength(40);
    const again = await offload("sweep", file, "--out", there, "--on", "slurm", "--format", "json");
    expect(JSON.parse(again.stdout).data.made).toBe(0);
    expect(times()).toEqual(before);
  });
});
