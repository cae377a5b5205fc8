// Throughput of a MEC's `infer` beside ONNX Runtime alone, with the same images and their real decode, in one run.
//   npm run bench:inference [-- --format json]
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { decodeImage, embeddedModel, imageSet, openClassifier } from "@offloadlab/classifier";
import {
  createAuthority,
  encodeImageRequest,
  headerLengthName,
  issueIdentity,
  readTlsMaterial,
  type TlsMaterial,
} from "@offloadlab/protocol";
import { quantile } from "@offloadlab/records";
import { Client } from "undici";

process.env["ORT_DISABLE_TELEMETRY"] = "1";
const { values } = parseArgs({ options: { format: { type: "string", default: "text" } } });
const root = join(import.meta.dirname, "..");
const images = 36;
const perRound = 72;
const rounds = 5;

/** Keeps `lanes` calls in flight until `perRound` are done; calls per second. */
const throughput = async (lanes: number, call: (index: number, lane: number) => Promise<unknown>): Promise<number> => {
  let next = 0;
  const started = performance.now();
  const lane = async (_: unknown, number: number): Promise<void> => {
    for (let index = next++; index < perRound; index = next++) await call(index % images, number);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return (perRound * 1000) / (performance.now() - started);
};

const startServer = async (folder: string): Promise<{ child: ChildProcess; url: string; tls: TlsMaterial }> => {
  const authority = await createAuthority(1);
  const files = await issueIdentity(authority, { id: "mec-1", role: "mec" }, ["localhost", "127.0.0.1"], folder, 1);
  const operator = await issueIdentity(authority, { id: "operator", role: "operator" }, [], folder, 1);
  const config = join(folder, "mec.json");
  const settings = { node: "mec-1", station_url: "wss://127.0.0.1:9/link", listen_host: "127.0.0.1", listen_port: 0 };
  writeFileSync(config, JSON.stringify({ ...settings, ...files, state_folder: folder, upload_limit_bytes: 1 << 24 }));
  const child = spawn(process.execPath, [join(root, "dist/mec.mjs"), "--config", config], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return { child, url: `https://127.0.0.1:${port}`, tls: await readTlsMaterial(operator) };
};

const folder = mkdtempSync(join(tmpdir(), "offloadlab-bench-"));
const { images: set, folder: imageFolder } = await imageSet(join(root, "node_modules/.cache/offloadlab/images"), { seed: 1, count: images });
const jpegs = set.map(({ file }) => readFileSync(join(imageFolder, file)));
const ort = await import("onnxruntime-node");
const session = await ort.InferenceSession.create(embeddedModel, { intraOpNumThreads: 1 });
const classifier = await openClassifier();
const { card } = classifier;
const { layout, width, height } = card.input;
const shape = layout === "nchw" ? [1, 3, height, width] : [1, height, width, 3];
const raw = async (index: number): Promise<unknown> => {
  const tensor = await decodeImage(jpegs[index] as Buffer, card);
  return session.run({ [card.input.name]: new ort.Tensor("float32", tensor, shape) });
};
const server = await startServer(folder);
const clients = Array.from({ length: 4 }, () => new Client(server.url, { connect: server.tls }));
const requests = jpegs.map((jpeg) => encodeImageRequest(jpeg, "bench", {}));
const infer = async (index: number, lane: number): Promise<unknown> => {
  const { body, headerLength } = requests[index] as (typeof requests)[number];
  const headers = { "content-type": "application/octet-stream", [headerLengthName]: String(headerLength) };
  const response = await (clients[lane] as Client).request({ method: "POST", path: `/v2/models/${card.name}/infer`, headers, body });
  const text = await response.body.text();
  if (response.statusCode !== 200) throw new RangeError(text);
  return text;
};
/** The same bytes over the same connection to a route that refuses them only after reading: transfer without inference. */
const transfer = async (index: number, lane: number): Promise<unknown> => {
  const { body } = requests[index] as (typeof requests)[number];
  const headers = { "content-type": "application/octet-stream", [headerLengthName]: "1" };
  const response = await (clients[lane] as Client).request({ method: "POST", path: `/v2/models/${card.name}/infer`, headers, body });
  return response.body.text();
};

/** CPU time of a process so far, in milliseconds (proc(5): utime and stime in ticks of 10 ms). */
const cpuOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return 10 * (Number(fields[11]) + Number(fields[12]));
};

const calls = { raw, classifier: (index: number) => classifier.classify(jpegs[index] as Buffer), infer, transfer };
type Way = keyof typeof calls;
const ways = Object.keys(calls) as Way[];

interface Row {
  readonly imagesInFlight: number;
  readonly way: Way;
  readonly imagesPerSecond: number;
  /** Median over rounds of this way's rate over that of `raw` in the same round. */
  readonly ratioToRaw: number;
  /** CPU time per image, of this process and of the MEC. */
  readonly ownCpuMilliseconds: number;
  readonly mecCpuMilliseconds: number;
}

const measure = async (lanes: number): Promise<Row[]> => {
  const found = ways.map((way) => ({ way, rates: [] as number[], own: 0, mec: 0 }));
  for (let round = -1; round < rounds; round += 1) {
    for (const entry of found) {
      const { way, rates } = entry;
      const before = { own: cpuOf(process.pid), mec: cpuOf(server.child.pid as number) };
      const rate = await throughput(lanes, calls[way]);
      // The first round warms up.
      if (round < 0) continue;
      rates.push(rate);
      entry.own += cpuOf(process.pid) - before.own;
      entry.mec += cpuOf(server.child.pid as number) - before.mec;
    }
  }
  const raws = found[0]?.rates ?? [];
  return found.map(({ way, rates, own, mec }) => ({
    imagesInFlight: lanes,
    way,
    imagesPerSecond: rates.reduce((sum, rate) => sum + rate, 0) / rounds,
    ratioToRaw: quantile(
      rates.map((rate, round) => rate / (raws[round] as number)),
      0.5,
    ),
    ownCpuMilliseconds: own / (rounds * perRound),
    mecCpuMilliseconds: mec / (rounds * perRound),
  }));
};

const rows: Row[] = [];
for (const lanes of [1, 2, 4]) rows.push(...(await measure(lanes)));
if (values.format === "json") {
  console.log(JSON.stringify({ rows }));
} else {
  console.log("raw: decode and ONNX Runtime in this process; classifier: the same with its worker thread;");
  console.log("infer: over TLS to a MEC; transfer: the same bytes to the MEC and back without decode and inference");
  const rounded = (value: unknown): unknown => (typeof value === "number" ? Number(value.toFixed(2)) : value);
  console.table(rows.map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, rounded(value)]))));
}
for (const client of clients) await client.destroy();
server.child.disconnect();
await once(server.child, "exit");
await classifier.close();
rmSync(folder, { recursive: true, force: true });
