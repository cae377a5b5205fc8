import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openClassifier } from "@offloadlab/classifier";
import { Clock, emulatedTrialBoard, type TrialBoard, unixNow } from "@offloadlab/hardware";
import { presets } from "@offloadlab/model";
import {
  createAuthority,
  type Identity,
  issueIdentity,
  type OffloadRequest,
  readTlsMaterial,
  serverTls,
  type TrialOrder,
} from "@offloadlab/protocol";
import { Journal, type JournalRecord, LineWriter } from "@offloadlab/records";
import { bits, bytes, count, cycles, joules, seconds } from "@offloadlab/units";
import sharp from "sharp";
import { expect, it } from "vitest";
import { type DeviceParts, DeviceTrial } from "./device-trial.ts";
import { ServerClient } from "./server-client.ts";
import { deviceWorld } from "./world.ts";

const order: TrialOrder = {
  run: "r",
  trial: 1,
  policy: "edge",
  seed: 1,
  deviceSeed: 2,
  clockSpeed: 2,
  settings: presets.testbed,
  link: "theoretical",
  uplinkRateRatios: {},
  agents: null,
  learning: null,
  epochsBefore: 0,
};
const lease = {
  id: "lease",
  task: "ed-1-1-0",
  bandwidthShare: 0.5,
  computeShare: 0.5,
  rateBitsPerSecond: 1e8,
  theoreticalUploadSeconds: 0.01,
  theoreticalExecutionSeconds: 0.01,
  expiresInSeconds: 10,
};
const parameters = {
  task_id: lease.task,
  lease_id: lease.id,
  upload_seconds: 0.01,
  theoretical_upload_seconds: 0.01,
  queue_seconds: 0,
  // At 100 W more than any battery holds.
  execution_seconds: 1000,
  compute_share: 0.5,
  achieved_compute_share: 0.1,
};

/** A MEC that takes the first task under a lease, executes it for very long, and lets all others wait. */
const serve = async (
  tls: Parameters<typeof serverTls>[0],
  granted: typeof lease,
  decision: string,
  served: typeof parameters,
) => {
  const requests: OffloadRequest[] = [];
  const server = createServer(serverTls(tls), async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    if (request.url !== "/api/v1/offload-requests") {
      return response.end(JSON.stringify({ parameters: served, outputs: [{ name: "label", data: ["dots"] }] }));
    }
    const asked = JSON.parse(body.toString()) as OffloadRequest;
    requests.push(asked);
    return response.end(
      JSON.stringify(asked.task?.id === lease.task ? { decision: "edge", lease: granted } : { decision }),
    );
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { server, requests, url: `https://127.0.0.1:${(server.address() as AddressInfo).port}` };
};

/** What the first device journals and asks in an epoch of one sub-slot with two tasks. */
const epoch = async (
  granted: typeof lease,
  hardware: Pick<DeviceParts, "board"> = {},
  decision = "wait",
  served = parameters,
) => {
  const folder = await mkdtemp(join(tmpdir(), "offloadlab-ed-"));
  const authority = await createAuthority();
  const issue = async (identity: Identity) =>
    readTlsMaterial(await issueIdentity(authority, identity, ["127.0.0.1"], folder));
  const { server, requests, url } = await serve(await issue({ id: "mec-1", role: "mec" }), granted, decision, served);
  const picture = sharp({ create: { width: 64, height: 48, channels: 3, background: "teal" } });
  await writeFile(join(folder, "0.png"), await picture.png().toBuffer());
  const images = { folder, images: [{ file: "0.png", bytes: bytes(1000), label: null }] };
  const task = { arrival: seconds(0), dataSize: bits(8000), work: cycles(1e9), image: count(0) };
  const world = {
    ...deviceWorld(order, "ed-1-1", [bytes(1000)]),
    subSlotCount: 1,
    tasks: ["ed-1-1-0", "ed-1-1-1"].map((id) => ({ ...task, id })),
  };
  const file = join(folder, "ed-1-1.jsonl");
  const journal = new Journal(await LineWriter.open(file), unixNow);
  const client = new ServerClient(url, await issue({ id: "ed-1-1", role: "ed" }), "scenes");
  const classifier = await openClassifier();
  const parts = { classifier, images, server: client, journal, log: () => {}, ...hardware };
  await new DeviceTrial(order, world, { ...parts, clock: new Clock(unixNow(), order.clockSpeed) }).run();
  await Promise.all([journal.close(), client.close(), classifier.close()]);
  server.close();

  const lines = (await readFile(file, "utf8")).trim().split("\n");
  await rm(folder, { recursive: true });
  return { device: world.device, records: lines.map((line) => JSON.parse(line) as JournalRecord), requests };
};

it("§III-C: a task found too expensive after its execution empties the battery and costs the next sub-slot", async () => {
  const { device, records, requests } = await epoch(lease);
  const { capacity, harvested } = device;
  expect(records.filter(({ kind }) => kind === "outcome")).toMatchObject([
    {
      task: "ed-1-1-0",
      outcome: "drained",
      label: "dots",
      energyJoules: capacity,
      energyUncertaintyJoules: 0,
      energyCoverageRatio: 1,
      energyMethod: "emulated",
    },
    { task: "ed-1-1-1", outcome: "expired" },
  ]);
  const charges = records.flatMap((record) => (record.kind === "battery" ? [record.chargeJoules] : []));
  expect(Math.min(...charges)).toBeCloseTo(harvested, 6);
  // A task waits, and for one sub-slot it is not offered.
  const blocked = requests.filter((asked) => asked.queueLength === 1 && asked.task === null);
  expect(blocked).toHaveLength(1);
}, 20_000);

it("§III-C: a task that is too expensive by plan is not executed, and ends with its sub-slot", async () => {
  const { device, records } = await epoch({ ...lease, theoreticalExecutionSeconds: 1000 });
  const [end] = records.filter((record) => record.kind === "outcome");
  expect(end).toMatchObject({ task: lease.task, outcome: "drained", label: null, energyJoules: device.capacity });
  expect(end).toMatchObject({ waitingSeconds: 0.25, delaySeconds: 0.25 });
}, 20_000);

/** A board whose meter says that tasks took something, and whose receiver gives less than the settings have. */
const measuredBoard = (taken: number): TrialBoard => ({
  ...emulatedTrialBoard(joules(0)),
  drain: "measured",
  meter: {
    begin: () => ({
      stop: () => {},
      reading: async () => ({
        joules: joules(taken),
        uncertainty: joules(0.1),
        coverage: 0.95,
        method: "ina226",
      }),
    }),
  },
  harvest: { source: "scaled", next: () => ({ energy: joules(0.25), coverage: 0.5 }) },
});

it("on a real board a task costs what was measured, a harvest is what came in, and both say where they are from", async () => {
  const offloaded = { ...parameters, execution_seconds: 0.01 };
  const { records, device } = await epoch(lease, { board: measuredBoard(2.5) }, "local", offloaded);
  const [edge, local] = records.filter((record) => record.kind === "outcome");
  expect(local).toMatchObject({
    energyJoules: 2.5,
    energyUncertaintyJoules: 0.1,
    energyCoverageRatio: 0.95,
    energyMethod: "ina226",
  });
  // The server's part, 100 W for 10 ms, is the model's.
  expect(edge).toMatchObject({ energyJoules: expect.closeTo(3.5, 9), energyMethod: "ina226+modelled" });
  const ledger = records.filter((record) => record.kind === "battery");
  for (const entry of ledger)
    expect(entry).toMatchObject({ method: "measured", harvestSource: "scaled", harvestCoverageRatio: 0.5 });
  const sum = (key: "drainedJoules" | "harvestedJoules") => ledger.reduce((total, entry) => total + entry[key], 0);
  expect(sum("drainedJoules")).toBeCloseTo(6, 9);
  expect(ledger.at(-1)?.chargeJoules).toBeCloseTo(device.capacity - 6 + sum("harvestedJoules"), 9);
}, 20_000);

it("C3 is judged again by what was measured: a task that took more than there was has drained the device", async () => {
  const { records, device } = await epoch(lease, { board: measuredBoard(1e4) }, "local", parameters);
  const ends = records.filter((record) => record.kind === "outcome");
  expect(ends.map(({ outcome }) => outcome)).toContain("drained");
  expect(ends.every(({ energyJoules }) => energyJoules <= device.capacity)).toBe(true);
}, 20_000);
