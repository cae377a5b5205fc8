import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { presets } from "@offloadlab/model";
import { archiveFiles, type NewRecord } from "@offloadlab/records";
import { afterEach, beforeEach, expect, it } from "vitest";
import { liveTrace, type TracedRun } from "./live-trace.ts";

const generated = (trial: number): NewRecord => ({
  ...{ kind: "generated", trial, task: "ed-1-1-0", arrivalSeconds: 0.25 },
  ...{ dataBytes: 1e6, workCycles: 1e9, image: 3 },
});
const decided = (trial: number): NewRecord => ({
  ...{ kind: "action", trial, subSlot: 1, latenessSeconds: 0.01, bandwidthInUseRatio: 0, computeInUseRatio: 0 },
  decisions: [{ task: "ed-1-1-0", placement: "local", bandwidthShare: 0, computeShare: 0 }],
});

let run: TracedRun;
beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), "trace-"));
  await mkdir(join(folder, "journals"));
  const write = (node: string, records: readonly NewRecord[]) =>
    writeFile(
      join(folder, archiveFiles.journal(node)),
      // The last line is still on its way.
      `${records.map((record) => `${JSON.stringify({ time: 1, ...record })}\n`).join("")}{"time":2,"ki`,
    );
  await write("ed-1-1", [generated(1), generated(2)]);
  await write("mec-1", [decided(1), decided(2)]);
  run = { folder, settings: presets.testbed, clockSpeed: 1 };
});
afterEach(() => rm(run.folder, { recursive: true }));

it("tells a task's life as far as the journals have it, in its last trial or the one asked for", async () => {
  const last = await liveTrace(run, "ed-1-1-0");
  expect(last).toMatchObject({ task: "ed-1-1-0", trial: 2, trials: [1, 2] });
  expect(await liveTrace(run, "ed-1-1-0", 1)).toMatchObject({
    trial: 1,
    events: [
      { node: "ed-1-1", what: "generated" },
      { node: "mec-1", what: "decided: local" },
    ],
  });
});

it("says why there is none, and reads no file that is no node's", async () => {
  expect(await liveTrace(run, "ed-1-1-7")).toBe("ed-1-1 has journalled no ed-1-1-7 so far");
  expect(await liveTrace(run, "ed-1-1-0", 9)).toBe("ed-1-1 has journalled no ed-1-1-0 in trial 9 so far");
  for (const task of ["", "../../etc/passwd-1", "mec-1-0", "ed-9-9-0"])
    expect(await liveTrace(run, task)).toContain("is no task of this run");
});
