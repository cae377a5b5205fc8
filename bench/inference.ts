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

const rows = [];
for (const lanes of [1, 2, 4]) {
  const ratios: number[] = [];
  const sums = { raw: 0, classifier: 0, infer: 0, transfer: 0 };
  for (let round = -1; round < rounds; round += 1) {
    const rates = {
      raw: await throughput(lanes, raw),
      classifier: await throughput(lanes, (index) => classifier.classify(jpegs[index] as Buffer)),
      infer: await throughput(lanes, infer),
      transfer: await throughput(lanes, transfer),
    };
    // The first round warms up.
    if (round < 0) continue;
    ratios.push(rates.infer / rates.raw);
    for (const key of ["raw", "classifier", "infer", "transfer"] as const) sums[key] += rates[key] / rounds;
  }
  rows.push({
    imagesInFlight: lanes,
    rawPerSecond: sums.raw,
    classifierPerSecond: sums.classifier,
    inferPerSecond: sums.infer,
    transferPerSecond: sums.transfer,
    medianRatio: quantile(ratios, 0.5),
  });
}
if (values.format === "json") {
  console.log(JSON.stringify({ rows }));
} else {
  console.log("images per second; raw: decode and ONNX Runtime in one process; classifier: the same with its worker thread;");
  console.log("infer: over TLS from this process to a MEC; transfer: the same bytes to the MEC and back without inference");
  console.table(rows.map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, Number(value.toFixed(key === "medianRatio" ? 3 : 1))]))));
}
for (const client of clients) await client.destroy();
server.child.disconnect();
await once(server.child, "exit");
await classifier.close();
rmSync(folder, { recursive: true, force: true });
