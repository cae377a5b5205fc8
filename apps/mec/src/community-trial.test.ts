import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Clock, unixNow } from "@offloadlab/hardware";
import { devicesOf, presets } from "@offloadlab/model";
import type { OffloadAnswer, OffloadRequest, TrialOrder } from "@offloadlab/protocol";
import { Journal, type JournalRecord, LineWriter } from "@offloadlab/records";
import { afterEach, beforeEach, expect, it } from "vitest";
import { CommunityTrial } from "./community-trial.ts";
import type { OpenLease } from "./leases.ts";

const order: TrialOrder = {
  run: "r",
  trial: 1,
  policy: "edge",
  seed: 1,
  deviceSeed: 2,
  clockSpeed: 1,
  settings: presets.testbed,
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
  community = new CommunityTrial(order, 0, clock, journal);
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

it("a device's last report frees its unused lease too", async () => {
  leaseOf(await decisionOn(0, "ed-1-1-0"));
  for (const device of devices) await community.report(device, request(1, null, { last: true }));
  await community.run();
  expect(community.leases.size).toBe(0);
  expect(await journalled("released")).toHaveLength(1);
});

it("a sub-slot more than 2 ahead of the server's own is refused with both", () => {
  expect(() => community.report(first, request(1_000_000, "ed-1-1-0"))).toThrow(/2 ahead of \d+, got 1000000/);
  void community.report(first, request(2, "ed-1-1-0"));
});

it("after an abort a lease can end, and nothing of it is journalled", async () => {
  const open = leaseOf(await decisionOn(0, "ed-1-1-0"));
  community.abort("over");
  const { task, id: lease, computeShare } = open.lease;
  const times = { uploadSeconds: 1, theoreticalUploadSeconds: 1, queueSeconds: 0, executionSeconds: 1 };
  const shares = { computeShare, achievedComputeShare: computeShare };
  community.release(open, "too late");
  community.served(open, { task, lease, uploadBytes: 1, ...times, ...shares, label: "dots" });
  expect(community.leases.size).toBe(0);
  expect([...(await journalled("released")), ...(await journalled("service"))]).toEqual([]);
});
