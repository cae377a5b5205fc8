import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openPolicy } from "@offloadlab/deployed";
import { Clock, unixNow } from "@offloadlab/hardware";
import { devicesOf, presets } from "@offloadlab/model";
import type { OpenPolicy } from "@offloadlab/policies";
import type { OffloadAnswer, OffloadRequest, TrialOrder } from "@offloadlab/protocol";
import { type ActionRecord, Journal, type JournalRecord, LineWriter } from "@offloadlab/records";
import { afterEach, beforeEach, expect, it } from "vitest";
import { CommunityTrial } from "./community-trial.ts";
import { Links } from "./links.ts";

const settings = presets.testbed;
const subSlotSeconds = settings.timeSlot / settings.subSlotsPerTimeSlot;
const devices = devicesOf(settings, 0, 2);
const [first, ...others] = devices.map(({ id }) => id) as [string, ...string[]];

let folder: string;
let journal: Journal;
let endpoint: Server;
let policy: OpenPolicy;
let community: CommunityTrial;
let clock: Clock;
/** What the endpoint waits for before each answer, after the first question. */
let pause: () => Promise<void>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "offloadlab-slow-"));
  journal = new Journal(await LineWriter.open(join(folder, "mec-1.ndjson")), unixNow);
  pause = async () => {};
  endpoint = createServer(async (request, response) => {
    for await (const _ of request);
    await pause();
    // Fair would run every one of these tasks on its device.
    response.end(JSON.stringify({ decisions: devices.map(() => ({ placement: "wait" })) }));
  });
  await new Promise<void>((resolve) => endpoint.listen(0, "127.0.0.1", resolve));
  const { port } = endpoint.address() as AddressInfo;
  policy = await openPolicy(`http://127.0.0.1:${port}/`, settings, 0, devices);
});
afterEach(async () => {
  community.abort("over");
  await policy.close();
  endpoint.closeAllConnections();
  await new Promise((resolve) => endpoint.close(resolve));
  await journal.close();
  await rm(folder, { recursive: true });
});

/** A trial that begins now. @param speed lab seconds per real second */
const begin = (speed = 1): void => {
  const order: TrialOrder = {
    ...{ run: "r", trial: 1, policy: policy.name, seed: 1, deviceSeed: 2, clockSpeed: speed, settings },
    ...{ link: "theoretical", uplinkRateRatios: {}, agents: null, learning: null, epochsBefore: 0 },
  };
  clock = new Clock(unixNow(), speed);
  community = new CommunityTrial(order, 0, clock, journal, policy, new Links());
};
const request = (subSlot: number, task: string | null): OffloadRequest => ({
  ...{ run: "r", trial: 1, subSlot, chargeJoules: 100, queueLength: task === null ? 0 : 1 },
  ...{ processorBusy: false, radioBusy: false, last: false, ended: [] },
  task: task === null ? null : { id: task, dataBytes: 1_000_000, workCycles: 1e9, ageSeconds: 0 },
});
/** The answer to the first device, the only one with a task, when all report. */
const decisionOn = async (subSlot: number): Promise<OffloadAnswer> => {
  const answers = [first, ...others].map((device, j) =>
    community.report(device, request(subSlot, j === 0 ? `task-${subSlot}` : null)),
  );
  return (await Promise.all(answers))[0] as OffloadAnswer;
};
const actions = async (): Promise<ActionRecord[]> => {
  await journal.flush();
  const lines = (await readFile(join(folder, "mec-1.ndjson"), "utf8")).split("\n").filter((line) => line !== "");
  return lines
    .map((line) => JSON.parse(line) as JournalRecord)
    .filter((record): record is ActionRecord & JournalRecord => record.kind === "action");
};
const never = (): Promise<void> => new Promise(() => {});

it("takes an answer that comes within the sub-slot, and journals no fallback", async () => {
  const delay = 40;
  pause = () => sleep(delay);
  begin();
  expect(await decisionOn(0)).toEqual({ decision: "wait" });
  expect(clock.now()).toBeGreaterThanOrEqual(delay / 1000);
  const [action, ...more] = await actions();
  expect(more).toEqual([]);
  expect(action).toMatchObject({ subSlot: 0, decisions: [{ task: "task-0", placement: "wait" }] });
  expect(action).not.toHaveProperty("fallback");
  expect(policy.answers).toMatchObject({ asked: 1, fallbacks: { late: 0 } });
});

it.each([1, 0.5])("without an answer Fair decides within the sub-slot, at %s times real time", async (speed) => {
  pause = never;
  begin(speed);
  const { decision } = await decisionOn(0);
  const end = clock.now();
  expect(decision).toBe("local");
  expect(end).toBeGreaterThanOrEqual(0.79 * subSlotSeconds);
  expect(end).toBeLessThan(subSlotSeconds);
  expect(await actions()).toMatchObject([{ subSlot: 0, fallback: "late", decisions: [{ placement: "local" }] }]);
  expect(policy.answers.fallbacks).toEqual({ late: 1, unreachable: 0, refused: 0, malformed: 0 });
});

it("journals a sub-slot without tasks only when Fair decided it", async () => {
  begin();
  const idle = (subSlot: number) =>
    Promise.all([first, ...others].map((device) => community.report(device, request(subSlot, null))));
  await idle(0);
  expect(await actions()).toEqual([]);
  endpoint.closeAllConnections();
  await new Promise((resolve) => endpoint.close(resolve));
  await idle(1);
  expect(await actions()).toMatchObject([{ subSlot: 1, fallback: "unreachable", decisions: [] }]);
});

it("a report for the next sub-slot waits until this one is decided", async () => {
  const asked: (() => void)[] = [];
  pause = () => new Promise((resolve) => asked.push(resolve));
  begin();
  const now = decisionOn(0);
  await expect.poll(() => asked.length).toBe(1);
  // Its device does not wait for an answer that it has not got.
  const next = community.report(first, request(1, "task-1"));
  asked[0]?.();
  expect(await now).toEqual({ decision: "wait" });
  for (const device of others) void community.report(device, request(1, null));
  await expect.poll(() => asked.length).toBe(2);
  asked[1]?.();
  expect(await next).toEqual({ decision: "wait" });
  expect((await actions()).map(({ subSlot, fallback }) => [subSlot, fallback])).toEqual([
    [0, undefined],
    [1, undefined],
  ]);
});

it("an end of the trial answers devices whose decision was not there, and nothing is journalled", async () => {
  pause = never;
  begin();
  const answer = decisionOn(0);
  community.abort("over");
  expect(await answer).toEqual({ decision: "wait" });
  expect(await actions()).toEqual([]);
});
