import { execFile, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Classifier, openClassifier } from "@offloadlab/classifier";
import { Clock, EmulatedProcessor, unixNow } from "@offloadlab/hardware";
import { devicesOf, presets } from "@offloadlab/model";
import { policies } from "@offloadlab/policies";
import {
  createAuthority,
  encodeImageRequest,
  Failure,
  headerLengthName,
  type Identity,
  type IdentityFiles,
  issueIdentity,
  readService,
  readTlsMaterial,
  type TlsMaterial,
  type TrialOrder,
} from "@offloadlab/protocol";
import { Journal, LineWriter } from "@offloadlab/records";
import { cycles, hertz, seconds } from "@offloadlab/units";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CommunityTrial } from "./community-trial.ts";
import { buildServer, type ServerParts } from "./http-server.ts";
import { InferenceService, type RunningTrial } from "./inference-service.ts";
import type { OpenLease } from "./leases.ts";
import { Links } from "./links.ts";
import { serverMetrics } from "./metrics.ts";
import { ShareScheduler } from "./share-scheduler.ts";

const rate = hertz(8e9);
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
const device = devicesOf(presets.testbed, 0, order.deviceSeed)[0]?.id ?? "";

let folder: string;
let classifier: Classifier;
/** How much longer than the embedded model the server's model takes; lab time. */
let slowness = seconds(0);
let journal: Journal;
let clock: Clock;
let trial: RunningTrial | undefined;
let close: () => Promise<void>;
let port: number;
let client: TlsMaterial;
let clientFiles: IdentityFiles;
let offload: ServerParts["offload"] = async () => ({ decision: "wait" });
let image: Buffer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "offloadlab-mec-"));
  const authority = await createAuthority();
  const issue = (identity: Identity): Promise<IdentityFiles> =>
    issueIdentity(authority, identity, ["127.0.0.1"], folder);
  const tls = await readTlsMaterial(await issue({ id: "mec-1", role: "mec" }));
  clientFiles = await issue({ id: device, role: "ed" });
  client = await readTlsMaterial(clientFiles);
  classifier = await openClassifier();
  const slow: Classifier = {
    ...classifier,
    classify: async (bytes) => {
      await clock.sleep(slowness);
      return classifier.classify(bytes);
    },
  };
  journal = new Journal(await LineWriter.open(join(folder, "mec-1.jsonl")), unixNow);
  clock = new Clock(unixNow(), 1);
  const metrics = serverMetrics(() => ({ bandwidth: 0, compute: 0 }));
  const app = buildServer({
    tls,
    classifier: slow,
    metrics,
    inference: new InferenceService(slow, 2 ** 24, () => trial, metrics),
    offload: (...call) => offload(...call),
    log: () => {},
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  port = (app.server.address() as AddressInfo).port;
  close = () => app.close();
  image = await sharp({ create: { width: 64, height: 48, channels: 3, background: "teal" } })
    .png()
    .toBuffer();
});
afterAll(async () => {
  await close();
  await classifier.close();
  await journal.close();
  await rm(folder, { recursive: true });
});

const call = (method: string, path: string, headers: Record<string, string | number> = {}, body?: Buffer) =>
  new Promise<{ status: number | undefined; answer: Record<string, unknown> }>((resolve, reject) => {
    const options = { ...client, host: "127.0.0.1", port, method, path, headers, agent: false as const };
    const sent = request(options, async (response) => {
      const text = (await response.toArray()).join("");
      resolve({ status: response.statusCode, answer: JSON.parse(text) as Record<string, unknown> });
    });
    sent.on("error", reject);
    sent.end(body);
  });
const inferPath = "/v2/models/scenes/infer";

/** A trial with one lease of half the server for 0.4 Gcycles, which take 0.1 s. */
const leased = (): OpenLease => {
  const community = new CommunityTrial(order, 0, clock, journal, policies.edge(order.settings, 0, []), new Links());
  const scheduler = new ShareScheduler(clock, new EmulatedProcessor(clock, rate), cycles(1e8));
  trial = { community, scheduler, workOf: () => 0.4e9 };
  return community.leases.grant(device, {
    task: "ed-1-1-0",
    bandwidthShare: 0.5,
    computeShare: 0.5,
    rateBitsPerSecond: 1e8,
    theoreticalUploadSeconds: 0.1,
    theoreticalExecutionSeconds: 0.1,
    expiresInSeconds: 2,
  });
};
const upload = ({ lease }: OpenLease, content: Buffer) => {
  const { body, headerLength } = encodeImageRequest(content, lease.task, { task_id: lease.task, lease_id: lease.id });
  return call("POST", inferPath, { [headerLengthName]: headerLength }, body);
};

it("an inference request without a body is refused as malformed", async () => {
  for (const headers of [{}, { "content-type": "application/json" }, { "content-length": 0 }]) {
    expect((await call("POST", inferPath, headers)).status).toBe(400);
  }
});

it("one request asks for at most 64 images, under a lease for exactly one", async () => {
  const data = Array.from({ length: 65 }, () => image.toString("base64"));
  const bodyOf = (count: number, parameters = {}) => {
    const inputs = [{ name: "image", shape: [count], datatype: "BYTES", data: data.slice(0, count) }];
    return Buffer.from(JSON.stringify({ inputs, parameters }));
  };
  expect((await call("POST", inferPath, {}, bodyOf(65))).status).toBe(400);
  expect((await call("POST", inferPath, {}, bodyOf(2))).status).toBe(200);
  const { lease } = leased();
  const refused = await call("POST", inferPath, {}, bodyOf(2, { task_id: lease.task, lease_id: lease.id }));
  trial = undefined;
  expect([refused.status, refused.answer["error"]]).toEqual([400, expect.stringContaining("got 2")]);
});

it.each([
  ["as long as its share says", 0, 0.1, 0.5],
  ["as long as the model when that is slower", 0.4, 0.4, 0.125],
])("a leased task is executed %s", async (_, slower, expected, share) => {
  slowness = seconds(slower);
  const { status, answer } = await upload(leased(), image);
  trial = undefined;
  slowness = seconds(0);
  expect(status).toBe(200);
  const service = readService(answer["parameters"], "answer");
  expect(service.execution_seconds).toBeGreaterThanOrEqual(expected - 1e-6);
  expect(service.execution_seconds).toBeLessThan(expected + 0.3);
  expect(service.achieved_compute_share).toBeLessThanOrEqual(share + 1e-6);
  expect(service.achieved_compute_share).toBeCloseTo(0.4e9 / rate / service.execution_seconds, 9);
});

it("a lease that is used twice is executed once, and the second upload does not end the first", async () => {
  const open = leased();
  const answers = [upload(open, image), upload(open, image)];
  const refused = await Promise.race(answers);
  expect([refused.status, trial?.community.leases.size]).toEqual([409, 1]);
  expect((await Promise.all(answers)).map(({ status }) => status).sort()).toEqual([200, 409]);
  expect(trial?.community.leases.size).toBe(0);
  trial = undefined;
});

it("a lease whose image cannot be read is held until the scheduler has ended its job", async () => {
  const open = leased();
  const start = clock.now();
  const { status } = await upload(open, Buffer.from("no image"));
  expect(status).toBe(400);
  expect(clock.now() - start).toBeGreaterThanOrEqual(0.1);
  expect(trial?.community.leases.size).toBe(0);
  trial = undefined;
});

/** A device in a process of its own: asks, and writes the answer's status to a file when it comes. */
const asking = `
  import { readFileSync, writeFileSync } from "node:fs";
  import { request } from "node:https";
  const [port, ca, cert, key, body, answered] = process.argv.slice(1);
  const tls = { ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key), agent: false };
  const sent = request({ ...tls, host: "127.0.0.1", port, path: "/api/v1/offload-requests", method: "POST" }, (response) => {
    response.once("data", () => writeFileSync(answered, String(response.statusCode)));
  });
  sent.end(body);`;
const offloadRequest = {
  ...{ run: "r", trial: 1, subSlot: 0, chargeJoules: 100, queueLength: 0, processorBusy: false, radioBusy: false },
  ...{ last: false, ended: [], task: null },
};
const ask = async (answered: string): Promise<void> => {
  const { ca, certificate, key } = clientFiles;
  const words = [String(port), ca, certificate, key, JSON.stringify(offloadRequest), answered];
  await promisify(execFile)(process.execPath, ["--input-type=module", "-e", asking, ...words]);
};

it("an answer that counts as handed over is on its way: it arrives while the event loop is blocked", async () => {
  const answered = join(folder, "answered");
  const arrived = new Promise<void>((resolve, reject) => {
    offload = async (_device, _request, handed) => {
      // Blocks, and throws when the answer does not come meanwhile.
      const wait = () =>
        execFileSync("sh", ["-c", `until [ -s "${answered}" ]; do sleep 0.05; done`], { timeout: 10_000 });
      handed.then(wait).then(() => resolve(), reject);
      return { decision: "wait" };
    };
  });
  await Promise.all([arrived, ask(answered)]);
  expect(readFileSync(answered, "utf8")).toBe("200");
});

it("a refusal counts as handed over, too", async () => {
  const answered = join(folder, "refused");
  const over = new Promise<unknown>((resolve) => {
    offload = (_device, _request, handed) => {
      resolve(handed);
      throw new Failure("peer/slow", "no trial");
    };
  });
  await ask(answered);
  expect(readFileSync(answered, "utf8")).toBe("503");
  await over;
});

it("server and model are ready while the classifier is, and live without it", async () => {
  const ready = async () => [
    await call("GET", "/v2/health/ready"),
    await call("GET", "/v2/models/scenes/ready"),
    await call("GET", "/v2/health/live"),
  ];
  expect(await ready()).toEqual([
    { status: 200, answer: { ready: true } },
    { status: 200, answer: { name: "scenes", ready: true } },
    { status: 200, answer: { live: true } },
  ]);
  await classifier.close();
  expect(await ready()).toEqual([
    { status: 503, answer: { ready: false } },
    { status: 503, answer: { name: "scenes", ready: false } },
    { status: 200, answer: { live: true } },
  ]);
});
