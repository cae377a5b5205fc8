import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unixNow } from "@offloadlab/hardware";
import type { CarriedOn } from "@offloadlab/hardware/carrier";
import { onnxEngine } from "@offloadlab/learning";
import { emptyAction, emptyObservation, presets, type Settings } from "@offloadlab/model";
import type { TrialOrder } from "@offloadlab/protocol";
import { Journal, type JournalRecord, LineWriter } from "@offloadlab/records";
import { deployedAgent, deploymentOf, encodeDeployment, Training, trainingSettings } from "@offloadlab/simulation";
import { count } from "@offloadlab/units";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Agents } from "./agents.ts";
import type { LivePolicy } from "./community-trial.ts";
import { killLearner } from "./learner-processes.test-helper.ts";

/** A learner from source compiles what it runs. */
const patience = 180_000;

const settings: Settings = presets.testbed;
const base = trainingSettings("td3", { epochs: 2, networks: "set", hyperparameters: "recommended" });
const small = { ...base, randomEpochs: 1, agent: { ...base.agent, hidden: 8, batchSize: 4 } };
const deployment = deploymentOf(new Training(settings, small, onnxEngine, 3));
const bytes = encodeDeployment(deployment);
const order: TrialOrder = {
  ...{ run: "r", trial: 1, policy: "mine", seed: 1, deviceSeed: 2, clockSpeed: 1, settings },
  ...{ link: "theoretical", uplinkRateRatios: {}, learning: null, epochsBefore: 0 },
  agents: createHash("sha256").update(bytes).digest("hex"),
};
const learning: TrialOrder = { ...order, learning: { explore: false, engine: "onnx" } };

let folder: string;
let journal: Journal;
let fetched: string[];
let logged: string[];
const open: Agents[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "offloadlab-agents-"));
  journal = new Journal(await LineWriter.open(join(folder, "mec-1.ndjson")), unixNow);
  fetched = [];
  logged = [];
});
afterEach(async () => {
  for (const agents of open.splice(0)) await agents.close();
  await journal.close();
  await rm(folder, { recursive: true });
});

const begin = (content: Uint8Array = bytes, runtimeOn: CarriedOn = "thread"): Agents => {
  const fetch = async (run: string, policy: string): Promise<Uint8Array> => {
    fetched.push(`${run} ${policy}`);
    return content;
  };
  const tls = { ca: "", cert: "", key: "" };
  const log = (_: string, message: string): void => void logged.push(message);
  const federation = { stationUrl: "https://127.0.0.1:1", tls, log };
  const agents = new Agents({ communityIndex: 1, stateFolder: folder, runtimeOn, fetch, federation });
  open.push(agents);
  return agents;
};

const observation = { ...emptyObservation(count(3)), waiting: Uint8Array.of(1, 1, 0) };
observation.dataSize.fill(8e6);
observation.work.fill(1e9);
observation.charge.fill(100);
observation.distance.fill(10);
observation.clock.fill(1e9);
observation.fullRate.fill(100e6);
const decisionOf = async (policy: LivePolicy) => {
  const action = emptyAction(count(3));
  await policy.decide(observation, action);
  return structuredClone(action);
};

it("makes the policies that need no training, and those that were deployed, fetched once for a run", async () => {
  const agents = begin();
  expect((await agents.policyOf({ ...order, policy: "fair", agents: null }, journal)).policy.name).toBe("fair");
  expect(fetched).toEqual([]);
  const { policy } = await agents.policyOf(order, journal);
  await agents.policyOf({ ...order, trial: 2 }, journal);
  expect(fetched).toEqual(["r mine"]);
  expect(policy.ended).toBeUndefined();
  const { agent, translator } = deployedAgent(deployment, onnxEngine, settings, 1);
  const { rows, features, actions } = translator.shape;
  const [state, raw] = [new Float32Array(rows * features), new Float32Array(rows * actions)];
  translator.observe(observation, state);
  agent.act(state, raw);
  const expected = emptyAction(count(3));
  translator.decode(raw, observation, expected);
  expect(await decisionOf(policy)).toEqual(expected);
  await agents.policyOf({ ...order, run: "another" }, journal);
  expect(fetched).toEqual(["r mine", "another mine"]);
});

it("refuses other agents than the ones that were ordered, and agents for other communities", async () => {
  const other = { ...deployment, agents: deployment.agents.slice(0, 1) };
  await expect(begin(encodeDeployment(other)).policyOf(order, journal)).rejects.toThrow(
    /not the ones that were ordered/,
  );
  const content = encodeDeployment(other);
  const agents = createHash("sha256").update(content).digest("hex");
  await expect(begin(content).policyOf({ ...order, agents }, journal)).rejects.toMatchObject({
    code: "config/invalid",
  });
});

/** A trial of two decisions whose task has ended in between. @param meanwhile happens before its end */
const learnTrial = async (agents: Agents, number: number, meanwhile: () => void = () => {}): Promise<LivePolicy> => {
  const { policy, finish } = await agents.policyOf({ ...learning, trial: number, epochsBefore: number - 1 }, journal);
  const task = { id: `task ${number}`, subSlot: 0, outcome: "late" as const, delaySeconds: 2, energyJoules: 1 };
  const decided = { isComplete: true, begins: [true, true, false] };
  await policy.decide(observation, emptyAction(count(3)));
  policy.decided?.({ ...decided, subSlot: 0, heads: [task.id, null, null] });
  policy.ended?.(0, task, -15);
  await policy.decide(observation, emptyAction(count(3)));
  policy.decided?.({ ...decided, subSlot: 1, heads: [null, null, null] });
  meanwhile();
  await finish();
  return policy;
};
const journalled = async (): Promise<JournalRecord[]> => {
  await journal.flush();
  const lines = (await readFile(join(folder, "mec-1.ndjson"), "utf8")).trim().split("\n");
  return lines.map((line) => JSON.parse(line) as JournalRecord);
};

it(
  "learns from trial to trial, and goes on after a restart with what it had learned",
  async () => {
    const first = begin();
    await learnTrial(first, 1);
    const policy = await learnTrial(first, 2);
    const before = await decisionOf(policy);
    await first.close();
    const second = begin();
    const { policy: after } = await second.policyOf({ ...learning, trial: 3, epochsBefore: 2 }, journal);
    expect(await decisionOf(after)).toEqual(before);
    expect(await journalled()).toMatchObject([
      { kind: "learning", trial: 1, policy: "mine", epoch: 1, transitions: 1, discarded: 1 },
      { kind: "learning", trial: 2, policy: "mine", epoch: 2, transitions: 1, discarded: 1 },
    ]);
  },
  patience,
);

it(
  "a trial whose learner's process is killed comes to its end; the death is logged and journalled, once",
  async () => {
    const agents = begin(bytes, "process");
    await learnTrial(agents, 1);
    await learnTrial(agents, 2, killLearner);
    await learnTrial(agents, 3);
    const trials = await journalled();
    expect(trials).toMatchObject([
      { trial: 1, transitions: 1 },
      { trial: 2, transitions: 1, deaths: 1 },
      { trial: 3, transitions: 1 },
    ]);
    expect(trials.map((record) => "deaths" in record)).toEqual([false, true, false]);
    expect(logged).toEqual([
      "the learner's process ended with SIGKILL; another one goes on with what mine had learned",
    ]);
  },
  patience,
);
