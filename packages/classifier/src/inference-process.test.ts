import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeAll, expect, test } from "vitest";
import { type Classifier, openClassifier } from "./classifier.ts";

/** Processes that this one has started and that still run a model. */
const children = (): number[] =>
  readdirSync("/proc/self/task")
    .flatMap((thread) => readFileSync(`/proc/self/task/${thread}/children`, "utf8").trim().split(" "))
    .map(Number)
    .filter((pid) => pid > 0 && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("worker-from-source"));

let image: Buffer;
let classifier: Classifier | undefined;
beforeAll(async () => {
  image = await sharp({ create: { width: 96, height: 96, channels: 3, background: "teal" } })
    .png()
    .toBuffer();
});
afterEach(async () => {
  await classifier?.close();
  classifier = undefined;
  expect(children()).toEqual([]);
});

const deaths: string[] = [];
const open = async (): Promise<Classifier> => {
  deaths.length = 0;
  classifier = await openClassifier(undefined, { where: "process", onDeath: (how) => deaths.push(how) });
  return classifier;
};
const killOnce = (): void => {
  const pids = children();
  expect(pids).toHaveLength(1);
  for (const pid of pids) process.kill(pid, "SIGKILL");
};

test("a process of its own says what a thread says", async () => {
  const thread = await openClassifier();
  const expected = await thread.classify(image);
  await thread.close();
  const got = await (await open()).classify(image);
  expect([got.label, [...got.probabilities]]).toEqual([expected.label, [...expected.probabilities]]);
  expect(children()).toHaveLength(1);
}, 30_000);

test("a process killed with SIGKILL is started again, and every task that it had is answered", async () => {
  const killed = await open();
  const expected = await killed.classify(image);
  const calls = Promise.all(Array.from({ length: 20 }, () => killed.classify(image)));
  killOnce();
  const labels = (await calls).map(({ label }) => label);
  expect(labels).toEqual(Array(20).fill(expected.label));
  const how = "the inference process ended with SIGKILL";
  expect(deaths).toEqual([how]);
  // Killed while it was idle, it is missed by the next task.
  killOnce();
  expect((await killed.classify(image)).label).toBe(expected.label);
  expect(deaths).toEqual([how, how]);
  expect(await killed.ready()).toBe(true);
}, 30_000);

test("a task that two processes died of fails, and this process lives on", async () => {
  const mortal = await open();
  let failure: unknown;
  for (let attempt = 0; failure === undefined && attempt < 100; attempt += 1) {
    const call = mortal.classify(image).catch((error: unknown) => {
      failure = error;
    });
    let settled = false;
    void call.finally(() => {
      settled = true;
    });
    while (!settled) {
      for (const pid of children()) process.kill(pid, "SIGKILL");
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  expect(failure).toMatchObject({ code: "classifier/unloadable", message: expect.stringContaining("SIGKILL") });
  expect((await mortal.classify(image)).label).toBeTypeOf("string");
}, 30_000);

test("a model that cannot be used is said to be so, and no process is left", async () => {
  const folder = await mkdtemp(join(tmpdir(), "offloadlab-process-"));
  await writeFile(join(folder, "broken.onnx"), "no model");
  await writeFile(
    join(folder, "broken.yaml"),
    `name: broken
input: { name: image, width_pixels: 6, height_pixels: 4, layout: nchw, scale: 1, mean: [0, 0, 0], std: [1, 1, 1] }
output: { name: shares, kind: probabilities }
labels: [red, green]
`,
  );
  await expect(openClassifier(join(folder, "broken.onnx"), { where: "process" })).rejects.toMatchObject({
    code: "classifier/unloadable",
  });
  await rm(folder, { recursive: true });
  await expect.poll(children, { timeout: 10_000 }).toEqual([]);
}, 30_000);
