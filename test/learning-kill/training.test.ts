import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as passed } from "node:timers/promises";
import { randomStream } from "@offloadlab/model";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "training-kill-"));
afterAll(() => rmSync(folder, { recursive: true }));

const cli = join(import.meta.dirname, "../../apps/cli/bin/offload.mjs");
const kills = 10;
const seed = Number(process.env["OFFLOAD_KILL_SEED"] ?? 1);

/** Three communities of three devices, federated; an epoch takes some hundredths of a second. */
const trainInto = (out: string): ChildProcess =>
  spawn(
    process.execPath,
    [
      ...[cli, "train", "--preset", "testbed", "--method", "pfr-oa", "--epochs", "45", "--seed", "3", "--out", out],
      ...["--set", "time_slot_count=3"],
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );

/** How a training ended that nobody disturbed. */
const ended = async (child: ChildProcess): Promise<void> => {
  let said = "";
  child.stderr?.on("data", (text) => (said += String(text)));
  const [code] = (await once(child, "close")) as [number | null];
  expect(code, said).toBe(0);
};

/** Resolves when so many changes have been made in a folder, or when the training has ended. */
const changesIn = async (out: string, count: number, child: ChildProcess): Promise<void> => {
  const stop = new AbortController();
  const watcher = watch(out, { recursive: true, signal: stop.signal });
  const exit = once(child, "exit", { signal: stop.signal }).catch(() => undefined);
  let seen = 0;
  await Promise.race([
    exit,
    new Promise<void>((resolve) => {
      watcher.on("change", () => {
        if (++seen >= count) resolve();
      });
    }),
  ]);
  stop.abort();
};

/** The last epoch that a checkpoint was made of. */
const lastEpochIn = (out: string): number => {
  const curves = readdirSync(out).includes("curves.csv") ? readFileSync(join(out, "curves.csv"), "utf8") : "";
  return Number(curves.trimEnd().split("\n").at(-1)?.split(",")[0]) || 0;
};

const filesIn = (out: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(out, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file.slice(out.length + 1), readFileSync(file, "base64")]),
  );

/** Half a minute on an idle machine: a dozen processes that start, restore and train. */
const timeout = 300_000;

test(`a training that is killed ${kills} times ends with the bytes of one that is not`, { timeout }, async () => {
  const [whole, killed] = [join(folder, "whole"), join(folder, "killed")];
  await ended(trainInto(whole));

  const random = randomStream(seed, "kills");
  mkdirSync(killed);
  const moments: string[] = [];
  for (let kill = 0; kill < kills; kill++) {
    // Some moments lie between two writes, some within an epoch.
    const changes = 1 + random.integer(12);
    const milliseconds = random.uniform() < 0.5 ? 0 : random.uniform(0, 60);
    moments.push(`${changes} changes + ${milliseconds.toFixed(0)} ms`);
    const child = trainInto(killed);
    await changesIn(killed, changes, child);
    if (milliseconds > 0) await passed(milliseconds);
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    moments.push(`${moments.pop()} (epoch ${lastEpochIn(killed)})`);
    expect(child.signalCode, `kill ${kill + 1} came after the end: ${moments.join(", ")}`).toBe("SIGKILL");
  }
  console.info(`seed ${seed} (OFFLOAD_KILL_SEED): killed after ${moments.join(", ")}`);
  await ended(trainInto(killed));

  const [got, expected] = [filesIn(killed), filesIn(whole)];
  expect(Object.keys(got).sort()).toEqual(Object.keys(expected).sort());
  expect(Object.keys(got)).toContain(join("policies", "R1.onnx"));
  for (const name of Object.keys(got)) expect(got[name] === expected[name], name).toBe(true);
});
