import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  createAuthority,
  encodeImageRequest,
  headerLengthName,
  type IdentityFiles,
  issueIdentity,
} from "@offloadlab/protocol";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { breakOff, openClient } from "./oip-client.ts";
import {
  completeRun,
  type Ended,
  isAlive,
  type LabFile,
  offload,
  RehearsalProcess,
  sharedHome,
  shortManifest,
  temporaryFolder,
} from "./rehearsal-process.ts";

describe("a lab that is up", () => {
  let rehearsal: RehearsalProcess;
  let lab: LabFile;
  let server: string;
  let images: { file: string; label: string }[];
  const image = (index: number): Buffer =>
    readFileSync(join(sharedHome, "images", (images[index] as { file: string }).file));

  beforeAll(async () => {
    rehearsal = new RehearsalProcess(["--serve"], { policies: ["fair"], settings: { time_slot_count: 3 } });
    await rehearsal.line(/^run \S+ is (complete|invalid)/);
    lab = rehearsal.lab();
    server = `https://127.0.0.1:${String(rehearsal.configOf("mec-1")["listen_port"])}`;
    images = (
      JSON.parse(readFileSync(join(sharedHome, "images", "images.json"), "utf8")) as {
        images: { file: string; label: string }[];
      }
    ).images;
  });
  afterAll(() => rehearsal.remove());

  /** The server answers as before and no daemon has been restarted. */
  const everythingLives = async (): Promise<void> => {
    const call = await openClient(server, lab.operator);
    expect((await call("GET", "/v2/health/ready")).status).toBe(200);
    for (const [node, pid] of Object.entries(lab.nodes)) expect(isAlive(pid), node).toBe(true);
  };
  const inferPath = "/v2/models/scenes/infer";
  const binaryRequest = (bytes: Uint8Array) => {
    const { body, headerLength } = encodeImageRequest(bytes, "call-1", {});
    return {
      body,
      headers: {
        "content-type": "application/octet-stream",
        "content-length": body.length,
        [headerLengthName]: headerLength,
      },
    };
  };

  describe("answers the Open Inference Protocol", () => {
    test("server and model metadata, liveness and readiness", async () => {
      const call = await openClient(server, lab.operator);
      expect((await call("GET", "/v2")).json()).toMatchObject({
        name: "offloadlab-mec",
        extensions: ["binary_tensor_data"],
      });
      expect((await call("GET", "/v2/health/live")).json()).toEqual({ live: true });
      expect((await call("GET", "/v2/health/ready")).json()).toEqual({ ready: true });
      expect((await call("GET", "/v2/models/scenes")).json()).toMatchObject({
        name: "scenes",
        platform: "onnx_onnxv1",
        inputs: [{ name: "image", datatype: "BYTES", shape: [-1] }],
      });
      expect((await call("GET", "/v2/models/scenes/ready")).json()).toEqual({ name: "scenes", ready: true });
      expect((await call("GET", "/v2/models/other")).status).toBe(404);
    });

    test("an image as binary data", async () => {
      const call = await openClient(server, lab.operator);
      const { body, headers } = binaryRequest(image(3));
      const answer = await call("POST", inferPath, headers, body);
      expect(answer.status, answer.body.toString()).toBe(200);
      expect(answer.json()).toMatchObject({ id: "call-1", model_name: "scenes" });
      const outputs = answer.json()["outputs"] as { name: string; data: unknown[] }[];
      expect(outputs.find(({ name }) => name === "label")?.data).toEqual([images[3]?.label]);
    });

    test("two images as JSON, and a binary answer on request", async () => {
      const call = await openClient(server, lab.operator);
      const data = [image(0), image(1)].map((bytes) => bytes.toString("base64"));
      const body = JSON.stringify({
        inputs: [{ name: "image", shape: [2], datatype: "BYTES", data }],
        outputs: [{ name: "label" }, { name: "probabilities", parameters: { binary_data: true } }],
      });
      const answer = await call("POST", inferPath, { "content-type": "application/json" }, body);
      expect(answer.status, answer.body.toString()).toBe(200);
      const end = Number(answer.headers[headerLengthName]);
      const header = JSON.parse(answer.body.toString("utf8", 0, end)) as {
        outputs: { name: string; data?: unknown[]; shape: number[] }[];
      };
      expect(header.outputs[0]?.data).toEqual([images[0]?.label, images[1]?.label]);
      expect(answer.body.length - end).toBe(
        4 * (header.outputs[1]?.shape ?? []).reduce((product, size) => product * size, 1),
      );
    });

    test("a tensor in the model's own layout", async () => {
      const call = await openClient(server, lab.operator);
      const model = (await call("GET", "/v2/models/scenes")).json()["parameters"] as {
        tensor_input: string;
        tensor_shape: string;
      };
      const shape = [1, ...model.tensor_shape.split("x").slice(1).map(Number)];
      const data = new Array(shape.reduce((product, size) => product * size, 1)).fill(0);
      const body = JSON.stringify({ inputs: [{ name: model.tensor_input, shape, datatype: "FP32", data }] });
      const answer = await call(
        "POST",
        "/v2/models/scenes/versions/1/infer",
        { "content-type": "application/json" },
        body,
      );
      expect(answer.status, answer.body.toString()).toBe(200);
    });
  });

  describe("refuses bad input with a clear error and lives on", () => {
    test("a certificate of another CA", async () => {
      const folder = temporaryFolder();
      const stranger = await issueIdentity(await createAuthority(1), { id: "ed-1-1", role: "ed" }, [], folder, 1);
      const files: IdentityFiles = { ...stranger, ca: lab.operator.ca };
      const call = await openClient(server, files);
      await expect(call("GET", "/v2")).rejects.toThrow(/unknown ca|certificate|ECONNRESET|socket hang up/i);
      await expect
        .poll(() => rehearsal.logOf("mec-1"))
        .toMatch(/refused a connection \(.*\): peers need a certificate of this lab's CA/);
      await everythingLives();
    });

    test("the wrong role", async () => {
      const mec = await openClient(server, rehearsal.keys("mec-2"));
      const { body, headers } = binaryRequest(image(0));
      const infer = await mec("POST", inferPath, headers, body);
      expect(infer.status).toBe(403);
      expect(infer.json()).toEqual({ error: "inference needs the role ed or operator, mec-2 has mec" });
      const ed = await openClient(lab.stationUrl, rehearsal.keys("ed-1-1"));
      const begin = await ed("POST", "/api/v1/runs", {}, "name: x");
      expect(begin.status).toBe(403);
      expect(begin.json()["title"]).toBe("POST /api/v1/runs needs the role operator, ed-1-1 has ed");
      await everythingLives();
    });

    test("an oversized upload", async () => {
      const call = await openClient(server, lab.operator);
      const { body, headers } = binaryRequest(Buffer.alloc(17 << 20));
      const answer = await call("POST", inferPath, headers, body).catch((error: Error) => error);
      // The server answers before it has read everything: the client sees the answer or the closed connection.
      if (answer instanceof Error) expect(answer.message).toMatch(/EPIPE|ECONNRESET|socket hang up/);
      else expect(answer.json()["error"]).toMatch(/at most 16777216 bytes/);
      await expect.poll(() => rehearsal.logOf("mec-1")).toMatch(/expected a body of at most 16777216 bytes, got more/);
      await everythingLives();
    });

    test("a truncated binary body", async () => {
      const call = await openClient(server, lab.operator);
      const { body, headers } = binaryRequest(image(0));
      const short = body.subarray(0, body.length - 1000);
      const answer = await call("POST", inferPath, { ...headers, "content-length": short.length }, short);
      expect(answer.status).toBe(400);
      expect(answer.json()["error"]).toMatch(/input `image` declares \d+ bytes of binary data, the body has \d+ left/);
      await breakOff(server, lab.operator, inferPath, headers, body.subarray(0, 5000));
      await expect.poll(() => rehearsal.logOf("mec-1")).toMatch(/the upload broke off after 5000 bytes/);
      await everythingLives();
    });

    test("malformed JSON", async () => {
      const call = await openClient(server, lab.operator);
      const infer = await call("POST", inferPath, { "content-type": "application/json" }, '{"inputs": [');
      expect(infer.status).toBe(400);
      expect(infer.json()["error"]).toMatch(/^infer: expected JSON, /);
      const ed = await openClient(server, rehearsal.keys("ed-1-1"));
      const offer = await ed("POST", "/api/v1/offload-requests", { "content-type": "application/json" }, '{"run": 3}');
      expect(offer.status).toBe(400);
      expect(offer.json()["title"]).toMatch(/^offload request: /);
      await everythingLives();
    });

    test("an image that is no image", async () => {
      const call = await openClient(server, lab.operator);
      const { body, headers } = binaryRequest(Buffer.from("this is text, not a picture"));
      const answer = await call("POST", inferPath, headers, body);
      expect(answer.status).toBe(400);
      expect(answer.json()["error"]).toMatch(/JPEG or PNG/);
      await everythingLives();
    });

    test("an unknown manifest key, with its line and column", async () => {
      const folder = temporaryFolder();
      const file = join(folder, "experiment.yaml");
      writeFileSync(file, "name: x\npreset: testbed\npolicies: [fair]\nrepetitions: 1\nseed: 1\nrepetition_count: 2\n");
      const ended = await offload("run", file, "--home", join(rehearsal.folder, "home"));
      expect(ended.code).toBe(4);
      expect(ended.stderr).toContain(`${file}:6:1: unknown key \`repetition_count\``);
      await everythingLives();
    });

    test("a corrupt model file, before any daemon is started", async () => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, "model.onnx"), "not a model");
      writeFileSync(
        join(folder, "model.yaml"),
        "name: m\ninput: {name: x, width_pixels: 8, height_pixels: 8, layout: nchw, scale: 1, mean: [0, 0, 0], std: [1, 1, 1]}\noutput: {name: y, kind: logits}\nlabels: [a, b]\n",
      );
      const args = ["--home", join(folder, "home"), "--images", join(sharedHome, "images")];
      const ended = await offload("lab", "up", "--rehearsal", ...args, "--classifier", join(folder, "model.onnx"));
      expect(ended.code).toBe(4);
      expect(ended.stderr).toContain(join(folder, "model.onnx"));
    });
  });

  test("runs another experiment for `offload run`, and refuses a second one meanwhile", async () => {
    const folder = temporaryFolder();
    const home = join(rehearsal.folder, "home");
    const manifest = shortManifest(folder, { name: "second", policies: ["fair"], settings: { time_slot_count: 6 } });
    const station = await openClient(lab.stationUrl, lab.operator);
    const current = async () =>
      (await station("GET", "/api/v1/runs/current")).json()["run"] as { name: string; state: string };
    const call = await openClient(server, lab.operator);
    const { body, headers } = binaryRequest(image(0));
    const infer = async () => {
      const { status, headers: answered } = await call("POST", inferPath, headers, body);
      return { status, retryAfter: answered["retry-after"] };
    };
    let ended: Ended = { code: null, stdout: "", stderr: "" };
    await completeRun(async () => {
      const first = offload("run", manifest, "--home", home, "--format", "json");
      await expect.poll(current, { timeout: 10_000 }).toMatchObject({ name: "second", state: "running" });
      // A server serves its devices alone while a trial runs.
      await expect.poll(infer, { timeout: 5_000 }).toEqual({ status: 503, retryAfter: "5" });
      const second = await offload("run", manifest, "--home", home);
      expect(second.code).toBe(1);
      expect(second.stderr).toMatch(/is not over; stop it or wait for its end/);
      ended = await first;
      return ended.stderr;
    });
    expect(ended.code, ended.stderr).toBe(0);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      schema_version: 1,
      status: "ok",
      exit_code: 0,
      data: { state: "complete" },
    });
  }, 180_000);

  test("tells Prometheus of nodes, batteries and leases", async () => {
    const page = await fetch(`${lab.dashboardUrl}metrics`);
    const text = await page.text();
    expect(text).toMatch(/offloadlab_node_online\{node="ed-3-3"\} 1/);
    expect(text).toMatch(/offloadlab_battery_charge_joules\{node="ed-1-1",method="emulated"\} \d/);
    const call = await openClient(server, lab.operator);
    expect((await call("GET", "/metrics")).body.toString()).toMatch(
      /offloadlab_offload_decisions_total\{decision="\w+"\} \d/,
    );
  });
});

test("images and classifier of the user's own, in the rehearsal too", async () => {
  const folder = temporaryFolder();
  for (const [index, colour] of ["red", "green", "blue"].entries()) {
    const picture = sharp({ create: { width: 640, height: 480, channels: 3, background: colour } });
    await (index === 0 ? picture.png() : picture.jpeg()).toFile(
      join(folder, `${colour}.${index === 0 ? "png" : "jpg"}`),
    );
  }
  await completeRun(async () => {
    const rehearsal = new RehearsalProcess(["--images", folder], {
      policies: ["edge"],
      settings: { time_slot_count: 2 },
    });
    try {
      const { stderr } = await rehearsal.ended;
      expect(stderr).toContain(`3 images from ${folder}`);
      return stderr;
    } finally {
      await rehearsal.remove();
    }
  });
}, 180_000);
