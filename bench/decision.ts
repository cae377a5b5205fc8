// How long a MEC takes to decide for 13 EDs: from the sub-slot's boundary to the last answer handed to its socket, over mutual
// TLS, with a trained agent, and the same while the agent learns beside it. Devices report from a process of their own, as
// soon as their timers wake them at the boundary: beside it what of the time is the server's, since all had reported.
//   npm run bench:decision [-- --format json]
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openClassifier } from "@offloadlab/classifier";
import { Clock, preferEventLoop, unixNow } from "@offloadlab/hardware";
import { onnxEngine } from "@offloadlab/learning";
import { devicesOf, paper } from "@offloadlab/model";
import { createAuthority, issueIdentity, readTlsMaterial, type TrialOrder } from "@offloadlab/protocol";
import { decisionTimes, Journal, LineWriter, quantile, readJournal } from "@offloadlab/records";
import { deployedAgent, deploymentOf, Training, trainingSettings } from "@offloadlab/simulation";
import { count } from "@offloadlab/units";
import { CommunityTrial } from "../apps/mec/src/community-trial.ts";
import { buildServer } from "../apps/mec/src/http-server.ts";
import { InferenceService } from "../apps/mec/src/inference-service.ts";
import { LearnedPolicy } from "../apps/mec/src/learned-policy.ts";
import { LiveLearner } from "../apps/mec/src/learner.ts";
import { Links } from "../apps/mec/src/links.ts";
import { serverMetrics } from "../apps/mec/src/metrics.ts";

process.env["ORT_DISABLE_TELEMETRY"] = "1";
const { values } = parseArgs({ options: { format: { type: "string", default: "text" } } });
/** Sub-slots of a measurement, and lab seconds per real second. */
const subSlots = 480;
const clockSpeed = 4;
/** Code and connections warm up in these. */
const warmUp = 40;

const settings = { ...paper, timeSlotCount: count(subSlots / paper.subSlotsPerTimeSlot) };
const seed = 1;
const devices = devicesOf(settings, 0, seed).map(({ id }) => id);
const folder = mkdtempSync(join(tmpdir(), "offloadlab-decision-"));
const authority = await createAuthority();
const issue = (id: string, role: "mec" | "ed") => issueIdentity(authority, { id, role }, ["127.0.0.1"], folder);
const server = await issue("mec-1", "mec");
const identities = await Promise.all(devices.map((id) => issue(id, "ed")));

// Some random epochs fill the agent's memory: how well it decides does not matter here.
const training = new Training(
  { ...paper, communities: paper.communities.slice(0, 1) },
  trainingSettings("td3", { epochs: 6, networks: "set", hyperparameters: "recommended" }),
  onnxEngine,
  seed,
);
while (training.epoch < 6) await training.runEpoch();
const deployment = deploymentOf(training);
await training.close();
const classifier = await openClassifier();
await preferEventLoop();

interface Row {
  readonly learning: boolean;
  readonly decisions: number;
  /** From the sub-slot's boundary. */
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  readonly maxMilliseconds: number;
  /** Since all had reported. */
  readonly ownP50Milliseconds: number;
  readonly ownP99Milliseconds: number;
  /** Devices' sub-slots without a decision in time. */
  readonly missed: number;
  readonly updates: number;
}

const measure = async (learns: boolean): Promise<Row> => {
  const { agent, translator } = deployedAgent(deployment, onnxEngine, settings, 0);
  const data = { deployment, world: settings, communityIndex: 0, engine: "onnx" as const };
  const onWeights = (weights: typeof agent.weights): void => {
    agent.weights = weights;
  };
  const onDeath = (how: string): void => {
    throw new RangeError(how);
  };
  const learner = await LiveLearner.start(data, onWeights, { on: "thread", onDeath });
  const policy = new LearnedPolicy("td3", agent, translator, {
    learner,
    isRandom: false,
    explores: learns,
    updatesPerSubSlot: learns ? 1 : 0,
    deviceCount: devices.length,
    subSlotCount: subSlots,
  });
  const order: TrialOrder = {
    ...{ run: "bench", trial: 1, policy: "td3", seed, deviceSeed: seed, clockSpeed, settings },
    ...{ link: "theoretical", uplinkRateRatios: {}, agents: null, learning: null, epochsBefore: 0 },
  };
  const file = join(folder, `${learns}.ndjson`);
  const journal = new Journal(await LineWriter.open(file), unixNow);
  const startsAtUnixSeconds = unixNow() + 3;
  const community = new CommunityTrial(order, 0, new Clock(startsAtUnixSeconds, clockSpeed), journal, policy, new Links());
  const metrics = serverMetrics(() => ({ bandwidth: 0, compute: 0 }));
  const app = buildServer({
    tls: await readTlsMaterial(server),
    classifier,
    inference: new InferenceService(classifier, 1 << 20, () => undefined, metrics),
    metrics,
    offload: async (device, request, handed) => community.report(device, request, handed),
    log: () => {},
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const plan = join(folder, "plan.json");
  const url = `https://127.0.0.1:${port}`;
  const subSlotSeconds = settings.timeSlot / settings.subSlotsPerTimeSlot;
  const times = { startsAtUnixSeconds, clockSpeed, subSlots, subSlotSeconds };
  writeFileSync(plan, JSON.stringify({ url, identities, devices, ...times }));
  const child = fork(join(import.meta.dirname, "decision-devices.ts"), [plan]);
  await Promise.all([community.run(), once(child, "exit")]);
  community.abort("the measurement is over");
  const { updates } = learner.takeSums();
  await learner.close();
  await app.close();
  await journal.close();
  const records = (await readJournal(file)).flatMap((record) => (record.kind === "sub-slot" ? [record] : []));
  const measured = records.slice(warmUp).map(({ handedSeconds }) => (1000 * handedSeconds) / clockSpeed);
  const own = records
    .slice(warmUp)
    .map(({ begunSeconds, handedSeconds }) => (1000 * (handedSeconds - begunSeconds)) / clockSpeed);
  const trial = { number: order.trial, policy: order.policy, repetition: 1, seed };
  const oneCommunity = { ...settings, communities: settings.communities.slice(0, 1) };
  return {
    learning: learns,
    decisions: measured.length,
    p50Milliseconds: quantile(measured, 0.5),
    p99Milliseconds: quantile(measured, 0.99),
    maxMilliseconds: Math.max(...measured),
    ownP50Milliseconds: quantile(own, 0.5),
    ownP99Milliseconds: quantile(own, 0.99),
    missed: decisionTimes(oneCommunity, [trial], new Map([["mec-1", records]])).missed,
    updates,
  };
};

const rows = [await measure(false), await measure(true)];
await classifier.close();
rmSync(folder, { recursive: true, force: true });
if (values.format === "json") console.log(JSON.stringify({ rows }));
else {
  console.log(`${devices.length} devices, ${clockSpeed} x real time; from the sub-slot's boundary to the last answer on its socket`);
  console.table(
    rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([key, value]) => [key, typeof value === "number" ? Number(value.toFixed(2)) : value]),
      ),
    ),
  );
}
