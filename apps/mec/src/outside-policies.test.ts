import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPolicy, shipModels } from "@offloadlab/deployed";
import { unixNow } from "@offloadlab/hardware";
import { type Action, devicesOf, emptyAction, emptyObservation, presets } from "@offloadlab/model";
import type { OpenPolicy } from "@offloadlab/policies";
import type { TrialOrder } from "@offloadlab/protocol";
import { Journal, type JournalRecord, LineWriter } from "@offloadlab/records";
import { count, seconds } from "@offloadlab/units";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { LivePolicy } from "./community-trial.ts";
import { OutsidePolicies } from "./outside-policies.ts";

/** A worker from source compiles what it runs. */
const patience = 120_000;

const settings = presets.testbed;
const devices = devicesOf(settings, 1, 2);
let folder: string;
let journal: Journal;
let outside: OutsidePolicies;
let here: OpenPolicy;
let bytes: Uint8Array;
const told: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "offloadlab-outside-"));
  journal = new Journal(await LineWriter.open(join(folder, "mec-2.ndjson")), unixNow);
  const model = join(folder, "mine.onnx");
  execFileSync("python3", [join(import.meta.dirname, "../../../examples/greedy_onnx.py"), model]);
  bytes = shipModels(model, settings);
  here = await openPolicy(model, settings, 1, devices);
  told.length = 0;
});
afterEach(async () => {
  await outside.close();
  await here.close();
  await journal.close();
  await rm(folder, { recursive: true });
});

const begin = (on: "thread" | "process", content: Uint8Array = bytes): void => {
  const log = (_: string, message: string): void => void told.push(message);
  outside = new OutsidePolicies({ communityIndex: 1, runtimeOn: on, fetch: async () => content, log });
};
const order = (trial: number): TrialOrder => ({
  ...{ run: "r", trial, policy: "./mine.onnx", seed: 1, deviceSeed: 2, clockSpeed: 1, settings },
  ...{ link: "theoretical", uplinkRateRatios: {}, learning: null, epochsBefore: 0 },
  agents: createHash("sha256").update(bytes).digest("hex"),
});
const observation = { ...emptyObservation(count(devices.length)), waiting: Uint8Array.of(1, 1, 1) };
for (const [j, device] of devices.entries()) {
  observation.dataSize[j] = 8e6 + j;
  observation.work[j] = 1e9;
  observation.charge[j] = 100;
  observation.clock[j] = device.clock;
  observation.fullRate[j] = device.fullRate;
}
observation.processorBusy[1] = 1;
const decisionOf = async (policy: Pick<LivePolicy, "decide">, within = 60): Promise<Action> => {
  const action = emptyAction(count(devices.length));
  await policy.decide(observation, action, seconds(within));
  return action;
};
const workers = (): number[] =>
  readdirSync("/proc/self/task")
    .flatMap((thread) => readFileSync(`/proc/self/task/${thread}/children`, "utf8").trim().split(" "))
    .map(Number)
    .filter((pid) => pid > 0 && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("model-worker-from-source"));

it(
  "a model decides beside the event loop, on a thread or in a process, what it decides here",
  async () => {
    const expected = await decisionOf(here);
    for (const on of ["thread", "process"] as const) {
      begin(on);
      const { policy, finish } = await outside.policyOf(order(1), journal);
      expect(await decisionOf(policy)).toEqual(expected);
      await finish();
      await outside.close();
    }
    await journal.flush();
    const lines = (await readFile(join(folder, "mec-2.ndjson"), "utf8")).trim().split("\n");
    const none = { late: 0, unreachable: 0, refused: 0, malformed: 0 };
    const record = { kind: "answers", trial: 1, policy: "./mine.onnx", asked: 1, adjusted: 0, fallbacks: none };
    expect(lines.map((line) => JSON.parse(line) as JournalRecord)).toMatchObject([record, record]);
    expect(told).toEqual([]);
  },
  patience,
);

it(
  "after its process was killed Fair decides, counted, until another one has started",
  async () => {
    begin("process");
    const { policy } = await outside.policyOf(order(1), journal);
    const expected = await decisionOf(policy);
    const [pid, ...others] = workers();
    expect(others).toEqual([]);
    const asked = decisionOf(policy);
    process.kill(pid as number, "SIGKILL");
    await asked;
    await expect.poll(() => told, { timeout: 10_000 }).toEqual([expect.stringMatching(/SIGKILL; Fair decides/)]);
    // Another one takes longer to start than a sub-slot lasts.
    await decisionOf(policy, 0.01);
    expect(policy.answers?.fallbacks.late).toBe(1);
    expect(await decisionOf(policy)).toEqual(expected);
    expect(policy.answers?.asked).toBe(4);
  },
  patience,
);

it("refuses other models than the ones that were ordered, and ones that cannot decide", async () => {
  begin("thread", new TextEncoder().encode("{}"));
  await expect(outside.policyOf(order(1), journal)).rejects.toMatchObject({ code: "wire/malformed" });
  await expect(
    outside.policyOf({ ...order(1), policy: "http://127.0.0.1:1/decide", agents: null }, journal),
  ).rejects.toMatchObject({ code: "config/invalid", message: expect.stringContaining("cannot decide") });
});
