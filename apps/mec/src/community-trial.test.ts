import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Clock, unixNow } from "@offloadlab/hardware";
import { devicesOf, presets } from "@offloadlab/model";
import { policies } from "@offloadlab/policies";
import type { OffloadAnswer, OffloadRequest, TrialOrder } from "@offloadlab/protocol";
import { Journal, type JournalRecord, LineWriter } from "@offloadlab/records";
import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest";
import { CommunityTrial, type Decided, type LivePolicy, type TimedSubSlot } from "./community-trial.ts";
import type { OpenLease } from "./leases.ts";
import { Links } from "./links.ts";

const order: TrialOrder = {
  run: "r",
  trial: 1,
  policy: "edge",
  seed: 1,
  deviceSeed: 2,
  clockSpeed: 1,
  settings: presets.testbed,
  link: "theoretical",
  uplinkRateRatios: {},
  agents: null,
  learning: null,
  epochsBefore: 0,
};
const devices = devicesOf(presets.testbed, 0, order.deviceSeed).map(({ id }) => id);
const [first, ...others] = devices as [string, ...string[]];

let folder: string;
let journal: Journal;
let clock: Clock;
let community: CommunityTrial;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "offloadlab-community-"));
  journal = new Journal(await LineWriter.open(join(folder, "mec-1.jsonl")), unixNow);
  clock = new Clock(unixNow(), 1);
  const policy = policies.edge(presets.testbed, 0, devicesOf(presets.testbed, 0, order.deviceSeed));
  community = new CommunityTrial(order, 0, clock, journal, policy, new Links());
});
afterEach(async () => {
  community.abort("over");
  await journal.close();
  await rm(folder, { recursive: true });
});

const request = (subSlot: number, task: string | null, rest: Partial<OffloadRequest> = {}): OffloadRequest => ({
  run: "r",
  trial: 1,
  subSlot,
  chargeJoules: 100,
  queueLength: task === null ? 0 : 1,
  processorBusy: false,
  radioBusy: false,
  last: false,
  ended: [],
  task: task === null ? null : { id: task, dataBytes: 1_000_000, workCycles: 1e9, ageSeconds: 0 },
  ...rest,
});

/** The answer to the first device when all report, and only it has a task. */
const decisionOn = async (
  subSlot: number,
  task: string,
  rest: Partial<OffloadRequest> = {},
): Promise<OffloadAnswer> => {
  const answers = [
    community.report(first, request(subSlot, task, rest)),
    ...others.map((device) => community.report(device, request(subSlot, null))),
  ];
  return (await Promise.all(answers))[0] as OffloadAnswer;
};
const leaseOf = (answer: OffloadAnswer): OpenLease => {
  if (answer.decision !== "edge") return expect.fail(`was ${answer.decision}`);
  return community.leases.find(answer.lease.id) ?? expect.fail(`${answer.lease.id} is not open`);
};
const journalled = async (kind: JournalRecord["kind"]): Promise<JournalRecord[]> => {
  await journal.flush();
  const lines = (await readFile(join(folder, "mec-1.jsonl"), "utf8")).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as JournalRecord).filter((record) => record.kind === kind);
};

it("a lease that its device does not use is free again with the device's next report", async () => {
  const unused = leaseOf(await decisionOn(0, "ed-1-1-0"));
  const used = leaseOf(await decisionOn(1, "ed-1-1-1"));
  expect(community.leases.find(unused.lease.id)).toBeUndefined();
  expect(community.leases.size).toBe(1);
  // Its upload goes on, and then its execution, with the radio idle or not.
  void community.report(first, request(2, null, { radioBusy: true }));
  expect(community.leases.of(first)).toBe(used);
  used.state = "executing";
  await community.report(first, request(2, null, { last: true }));
  expect(community.leases.of(first)).toBe(used);
  expect(await journalled("released")).toMatchObject([
    { task: "ed-1-1-0", lease: unused.lease.id, reason: "not used by its device" },
  ]);
});

it.each([
  ["a share of which a task takes longer than four deadlines is worth no lease: the task waits", 0.01, "wait"],
  ["a lease lasts twice what the theory says, and a deadline", 0.02, "edge"],
])("%s", async (_, share, decision) => {
  const edge = policies.edge(presets.testbed, 0, devicesOf(presets.testbed, 0, order.deviceSeed));
  const stingy: typeof edge = {
    ...edge,
    decide(observation, action) {
      edge.decide(observation, action);
      action.bandwidthShare[0] = share;
    },
  };
  community = new CommunityTrial(order, 0, clock, journal, stingy, new Links());
  const answer = await decisionOn(0, "ed-1-1-0");
  expect(answer.decision).toBe(decision);
  expect(await journalled("action")).toMatchObject([{ decisions: [{ task: "ed-1-1-0", placement: decision }] }]);
  if (answer.decision !== "edge") return expect(community.leases.size).toBe(0);
  const { theoreticalUploadSeconds, theoreticalExecutionSeconds, expiresInSeconds } = answer.lease;
  const theory = theoreticalUploadSeconds + theoreticalExecutionSeconds;
  expect(expiresInSeconds).toBeCloseTo(2 * theory + presets.testbed.deadline, 9);
});

it("reports that came while the server stood still belong to their sub-slot: they are read before it is decided", async () => {
  const server = createServer((socket) => {
    // A device reports; the server stands still until long after the guard time, while the others' reports arrive.
    socket.once("data", () => {
      answers.push(community.report(first, request(0, "ed-1-1-0")));
      far.write("others");
      execFileSync("sleep", ["0.2"]);
      socket.once("data", () => answers.push(...others.map((device) => community.report(device, request(0, null)))));
    });
  });
  const answers: Promise<OffloadAnswer>[] = [];
  await once(server.listen(0, "127.0.0.1"), "listening");
  const far = connect((server.address() as AddressInfo).port, "127.0.0.1");
  onTestFinished(async () => {
    far.destroy();
    await once(server.close(), "close");
  });
  await once(far, "connect");
  // Its sub-slot begins now.
  clock = new Clock(unixNow(), 1);
  const policy = policies.edge(presets.testbed, 0, devicesOf(presets.testbed, 0, order.deviceSeed));
  community = new CommunityTrial(order, 0, clock, journal, policy, new Links());
  far.write("first");
  await expect.poll(() => journalled("sub-slot")).toMatchObject([{ subSlot: 0, reported: 3, devices: 3 }]);
  await Promise.all(answers);
});

it("a device's last report frees its unused lease too", async () => {
  leaseOf(await decisionOn(0, "ed-1-1-0"));
  for (const device of devices) await community.report(device, request(1, null, { last: true }));
  await community.run();
  expect(community.leases.size).toBe(0);
  expect(await journalled("released")).toHaveLength(1);
});

it("journals how timely a sub-slot was decided once its last answer is out, and tells of the silent ones before", async () => {
  const told: TimedSubSlot[] = [];
  const edge = policies.edge(presets.testbed, 0, devicesOf(presets.testbed, 0, order.deviceSeed));
  community = new CommunityTrial(order, 0, clock, journal, edge, new Links(), (subSlot) => told.push(subSlot));
  let hand = (): void => {};
  const handed = new Promise<void>((resolve) => {
    hand = resolve;
  });
  const answers = devices.map((device) => community.report(device, request(1, null), handed));
  await Promise.all(answers);
  expect(await journalled("sub-slot")).toEqual([]);
  hand();
  await expect.poll(() => told.length).toBe(1);
  expect(await journalled("sub-slot")).toMatchObject([{ trial: 1, subSlot: 1, reported: 3, devices: 3 }]);
  const { begunSeconds, handedSeconds, silent } = told[0] as TimedSubSlot;
  expect(handedSeconds).toBeGreaterThan(begunSeconds);
  expect(silent).toBe(1);
});

it("a sub-slot more than 2 ahead of the server's own is refused with both", () => {
  expect(() => community.report(first, request(1_000_000, "ed-1-1-0"))).toThrow(/2 ahead of \d+, got 1000000/);
  void community.report(first, request(2, "ed-1-1-0"));
});

it("after an abort a lease can end, and nothing of it is journalled", async () => {
  const open = leaseOf(await decisionOn(0, "ed-1-1-0"));
  community.abort("over");
  const { task, id: lease, computeShare } = open.lease;
  const times = {
    uploadSeconds: 1,
    theoreticalUploadSeconds: 1,
    leasedUploadSeconds: 1,
    queueSeconds: 0,
    executionSeconds: 1,
  };
  const shares = { computeShare, achievedComputeShare: computeShare };
  community.release(open, "too late");
  community.served(open, { task, lease, uploadBytes: 1, ...times, ...shares, label: "dots" });
  expect(community.leases.size).toBe(0);
  expect([...(await journalled("released")), ...(await journalled("service"))]).toEqual([]);
});

it("tells a policy that learns what it decided and what came of it, once, and journals what it is paid", async () => {
  const decided: Decided[] = [];
  const ended: unknown[] = [];
  const edge = policies.edge(presets.testbed, 0, devicesOf(presets.testbed, 0, order.deviceSeed));
  const policy: LivePolicy = {
    name: "mine",
    decide: (observation, action) => edge.decide(observation, action),
    decided: (decision) => decided.push(decision),
    ended: (device, task, reward) => ended.push([device, task.id, reward]),
  };
  community = new CommunityTrial(order, 0, clock, journal, policy, new Links());
  const open = leaseOf(await decisionOn(0, "ed-1-1-0"));
  expect(decided).toEqual([
    { subSlot: 0, isComplete: true, heads: ["ed-1-1-0", null, null], begins: [true, false, false] },
  ]);
  const { task, id: lease, computeShare } = open.lease;
  const times = { uploadSeconds: 0.27, theoreticalUploadSeconds: 0.24, leasedUploadSeconds: 0.24, queueSeconds: 0 };
  const rest = { executionSeconds: 0.3, computeShare, achievedComputeShare: computeShare, label: "dots" };
  community.served(open, { task, lease, uploadBytes: 1, ...times, ...rest });
  const end = { id: task, subSlot: 0, outcome: "completed-edge" as const, delaySeconds: 0.7, energyJoules: 30 };
  const reward = -(0.5 * 0.7 + 30 / 120);
  // Its device says it twice, as after an answer that got lost.
  for (const subSlot of [1, 2]) void community.report(first, request(subSlot, null, { ended: [end] }));
  expect(ended).toEqual([[0, task, reward]]);
  expect(await journalled("reward")).toMatchObject([
    { task, subSlot: 0, outcome: "completed-edge", delaySeconds: 0.7, transmissionErrorSeconds: 0.03, reward },
  ]);
});

it.each(["theoretical", "corrected"] as const)("a %s link: what a lease and a policy go by", async (link) => {
  const seen: number[] = [];
  const edge = policies.edge(presets.testbed, 0, devicesOf(presets.testbed, 0, order.deviceSeed));
  const policy: LivePolicy = {
    name: "mine",
    decide: (observation, action) => {
      seen.push(observation.dataSize[0] as number);
      edge.decide(observation, action);
    },
  };
  const links = new Links();
  for (let i = 0; i < 10; i++) links.add(first, { uploadSeconds: 0.4 + i / 1e4, theoreticalUploadSeconds: 0.2 });
  community = new CommunityTrial({ ...order, link }, 0, clock, journal, policy, links);
  const { lease, theoreticalUpload } = leaseOf(await decisionOn(0, "ed-1-1-0"));
  const factor = link === "corrected" ? 2 : 1;
  expect(lease.theoreticalUploadSeconds / theoreticalUpload).toBeCloseTo(factor, 1);
  // A task on a link of half the rate is as large as one of twice the size.
  expect((seen[0] as number) / 8e6).toBeCloseTo(factor, 1);
  expect(links.estimateOf(first)?.rateRatio).toBeCloseTo(0.5, 2);
});
