import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { actorOf } from "@offloadlab/learning";
import { afterAll, beforeAll, expect, test } from "vitest";
import { offload } from "../lab/rehearsal-process.ts";

const folder = mkdtempSync(join(tmpdir(), "training-"));
afterAll(() => rmSync(folder, { recursive: true }));

const tiny = ["--preset", "testbed", "--epochs", "2", "--set", "time_slot_count=2"];
const train = (out: string, ...args: string[]) => offload("train", ...tiny, "--out", out, ...args, "--format", "json");
const dataOf = <T>(stdout: string): T => (JSON.parse(stdout) as { data: T }).data;

const set = join(folder, "set");
const dqn = join(folder, "dqn");
const model = join(folder, "my-policy.onnx");
beforeAll(async () => {
  const trained = await Promise.all([train(set), train(dqn, "--method", "dqn", "--networks", "flat")]);
  for (const { code, stderr } of trained) expect(code, stderr).toBe(0);
  execFileSync("python3", [join(import.meta.dirname, "../../examples/greedy_onnx.py"), model]);
}, 60_000);

interface Row {
  readonly policy: string;
  readonly community: string;
  readonly other?: string;
  readonly successRatio: { readonly mean: number; readonly interval: readonly [number, number]; readonly n: number };
  readonly rewardPerEpoch: { readonly mean: number };
}

test("a training leaves a model and a card for each community, with how good it is", async () => {
  const names = ["R1", "R2", "R3"].flatMap((name) => [`${name}.card.json`, `${name}.onnx`]);
  expect(readdirSync(join(set, "policies")).sort()).toEqual(names);
  const card = JSON.parse(readFileSync(join(set, "policies", "R2.card.json"), "utf8")) as {
    training: { evaluation: Record<string, number> };
  };
  expect(card).toMatchObject({
    name: "pfr-oa R2",
    observation: { networks: "set", device_count: null },
    training: { method: "pfr-oa", community: "R2", preset: "testbed", seed: 1, epochs: 2, agent: { hidden: 64 } },
  });
  expect(JSON.parse(readFileSync(join(dqn, "policies", "R3.card.json"), "utf8"))).toMatchObject({
    observation: { networks: "flat", device_count: 3 },
    training: { method: "dqn", networks: "flat", agent: { choices: expect.arrayContaining([[-1, -1, -1]]) } },
  });
  const { code, stdout, stderr } = await offload("evaluate", set, "--format", "json");
  expect(code, stderr).toBe(0);
  const row = dataOf<{ rows: Row[] }>(stdout).rows.find(({ community }) => community === "R2");
  expect(card.training.evaluation["reward_per_epoch"]).toBeCloseTo(row?.rewardPerEpoch.mean as number, 9);
});

test("policies evaluated from their files do as their training does", async () => {
  const args = ["--epochs", "3", "--policies", "fair", "--policy", join(set, "policies"), "--format", "json"];
  const { code, stdout, stderr } = await offload("evaluate", set, ...args);
  expect(code, stderr).toBe(0);
  const { rows, answers } = dataOf<{ rows: Row[]; answers: { asked: number; adjusted: number }[] }>(stdout);
  const of = (policy: string) => rows.filter((row) => row.policy === policy).map(({ policy: _, ...rest }) => rest);
  expect(of(join(set, "policies"))).toEqual(of("pfr-oa"));
  expect(of("fair")).toHaveLength(4);
  for (const each of answers) expect(each.asked).toBeGreaterThan(23);
});

test("compare says by how much each differs from each other one, trial by trial", async () => {
  const args = ["--epochs", "5", "--policies", "fair", "--policy", model];
  const { code, stdout, stderr } = await offload("compare", set, dqn, ...args, "--format", "json");
  expect(code, stderr).toBe(0);
  const { ofTrials, rows, differences } = dataOf<{ ofTrials: string; rows: Row[]; differences: Row[] }>(stdout);
  expect(ofTrials).toBe("epochs of one training");
  const pairs = differences.filter(({ community }) => community === "all").map((row) => [row.policy, row.other]);
  expect(pairs).toEqual([
    ["pfr-oa", "dqn"],
    ["pfr-oa", "fair"],
    ["pfr-oa", model],
    ["dqn", "fair"],
    ["dqn", model],
    ["fair", model],
  ]);
  const mean = (policy: string | undefined, community: string): number =>
    rows.find((row) => row.policy === policy && row.community === community)?.successRatio.mean as number;
  for (const { policy, other, community, successRatio } of differences) {
    expect(successRatio.n).toBe(5);
    expect(successRatio.mean).toBeCloseTo(mean(policy, community) - mean(other, community), 12);
    expect(successRatio.interval[0]).toBeLessThanOrEqual(successRatio.mean);
  }
  const text = await offload("compare", set, dqn, ...args);
  expect(text.stdout).toMatch(/^pfr-oa - dqn +-?\d+\.\d+ ± \d+\.\d+/m);
  expect(text.stdout).toContain("n pairs of trials with the same arrivals");
  expect(text.stdout).toContain("over n epochs of one training: for these agents, not for the method");
  expect(text.stdout).toContain("Pairs are epochs of one training each");
});

test("a policy that cannot be used: exit 4 with what is wrong", async () => {
  const other = join(folder, "other.onnx");
  writeFileSync(other, readFileSync(model));
  const withoutCard = await offload("evaluate", set, "--policy", other);
  expect(withoutCard).toMatchObject({ code: 4, stderr: expect.stringContaining("a model needs its card beside it") });
  const nobody = await offload("evaluate", set, "--policy", "http://127.0.0.1:9/decide");
  expect(nobody).toMatchObject({ code: 4, stderr: expect.stringContaining("cannot decide: connect ECONNREFUSED") });
  const unknown = await offload("evaluate", set, "--policies", "gready");
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining("got gready") });
  const untrained = await offload("evaluate", set, "--policies", "td3");
  expect(untrained).toMatchObject({
    code: 4,
    stderr: expect.stringContaining("expected the folder of a training of td3"),
  });
});

test("a training that cannot be: exit 4 before anything is trained", async () => {
  const unread = await train(join(folder, "unread"), "--method", "td3", "--reading", "targets=restarted");
  expect(unread).toMatchObject({ code: 4, stderr: expect.stringContaining("td3 has no use for targets") });
  const unequal = ["--networks", "flat", "--set", "communities.R2.device_count=2"];
  const { code, stderr } = await train(join(folder, "unequal"), "--method", "pfr-oa", ...unequal);
  expect({ code, stderr }).toMatchObject({ code: 4, stderr: expect.stringContaining("flat ones of R1 and R2") });
});

/** The weights of a trained policy. */
const weightsOf = (out: string): Float32Array =>
  actorOf(readFileSync(join(out, "policies", "R1.onnx")))?.weights ?? new Float32Array();

test("TensorFlow.js learns what ONNX Runtime learns, and the training says which it was", async () => {
  const shorter = ["--set", "time_slot_count=1", "--set", "communities.each.device_count=2"];
  const [onnx, tfjs] = [join(folder, "onnx"), join(folder, "tfjs")];
  for (const ended of [await train(onnx, ...shorter), await train(tfjs, ...shorter, "--engine", "tfjs")]) {
    expect(ended.code, ended.stderr).toBe(0);
  }
  expect(JSON.parse(readFileSync(join(tfjs, "training.json"), "utf8"))).toMatchObject({
    engine: "tfjs",
    engineModule: expect.stringMatching(/^@tensorflow\/tfjs(-node)?$/),
  });
  const card = readFileSync(join(tfjs, "policies", "R1.card.json"), "utf8");
  expect(JSON.parse(card)).toMatchObject({ training: { software: { engine: "tfjs" } } });
  const [expected, got] = [weightsOf(onnx), weightsOf(tfjs)];
  expect(expected.length).toBeGreaterThan(1000);
  expect(Math.max(...got.map((weight, i) => Math.abs(weight - (expected[i] as number))))).toBeLessThan(1e-4);
  const other = await train(tfjs, ...shorter);
  expect(other).toMatchObject({ code: 4, stderr: expect.stringContaining("holds another training") });
});
