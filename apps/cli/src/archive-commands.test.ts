import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { presets, settingsToFile } from "@offloadlab/model";
import { archiveFiles, sealArchive } from "@offloadlab/records";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runReport } from "./archive-commands.ts";

const service = {
  time: 1000,
  kind: "service",
  trial: 1,
  task: "ed-1-1-0",
  lease: "lease",
  uploadBytes: 1000,
  uploadSeconds: 0.202,
  theoreticalUploadSeconds: 0.2,
  queueSeconds: 0,
  executionSeconds: 0.3,
  computeShare: 0.5,
  achievedComputeShare: 0.5,
  label: "cat",
};

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "report-"));
  const contents = {
    [archiveFiles.manifest]:
      "name: a\npreset: testbed\npolicies: [edge]\nrepetitions: 1\nseed: 1\nclock_speed_ratio: 2\n",
    [archiveFiles.settings]: JSON.stringify(settingsToFile(presets.testbed)),
    [archiveFiles.trials]: JSON.stringify([{ number: 1, policy: "edge", repetition: 1, seed: 5 }]),
    [archiveFiles.journal("cbs")]: `${JSON.stringify({ time: 1000, kind: "trial-end", trial: 1 })}\n`,
  };
  for (const [file, text] of Object.entries(contents)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
});
afterEach(() => rm(folder, { recursive: true }));

it("reports first that a run is not sealed, and has a dash for every number without tasks or uploads", async () => {
  const { text, data } = await runReport(folder);
  expect(text.split("\n").slice(0, 2)).toEqual(["the run is unsealed", ""]);
  expect(text).toMatch(/\nedge +all +- +- +- +- +0\n/);
  expect(text).toContain("; emulated hardware, clock 2x real time\n");
  expect(text).toContain("no uploads");
  expect(text).not.toContain("NaN");
  expect(data).toMatchObject({ state: "unsealed", reasons: [], hardware: "emulated", clockSpeed: 2 });
});

it("reports first why a run is invalid", async () => {
  await sealArchive(folder, "invalid", ["mec-1 was killed", "a task is lost"]);
  const { text, data } = await runReport(folder);
  expect(text.split("\n")[0]).toBe("the run is invalid: mec-1 was killed; a task is lost");
  expect(data).toMatchObject({ state: "invalid", reasons: ["mec-1 was killed", "a task is lost"] });
});

it("reports of a complete run its comparison first, then how well the emulation kept its promises", async () => {
  await writeFile(join(folder, archiveFiles.journal("mec-1")), `${JSON.stringify(service)}\n`);
  await sealArchive(folder, "complete", []);
  const { text, data } = await runReport(folder);
  expect(text).toMatch(/^policy /);
  expect(text).toContain("transmission error over 1 uploads: median 1.00 %, 95th percentile 1.00 %");
  expect(data).toMatchObject({ state: "complete", reasons: [] });
});

it("says that a damaged status is damaged, and names the archive whose content is", async () => {
  await writeFile(join(folder, archiveFiles.status), "{}\n");
  expect((await runReport(folder)).text).toMatch(/^the run is unsealed: status: not as it was written\n/);
  await writeFile(join(folder, archiveFiles.settings), "{");
  await expect(runReport(folder)).rejects.toMatchObject({ name: "Failure", code: "archive/damaged" });
});
