import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { presets, settingsToFile } from "@offloadlab/model";
import { archiveFiles, sealArchive } from "@offloadlab/records";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runReplay } from "./replay-command.ts";

const task = { trial: 1, task: "ed-1-1-0" };
/** One task, executed on its device from 6 ms after its arrival on, for as long as Eq. (4) says. */
const journals: Readonly<Record<string, readonly object[]>> = {
  cbs: [{ kind: "trial-end", trial: 1 }],
  "mec-1": [
    {
      ...{ kind: "action", trial: 1, subSlot: 0, latenessSeconds: 0.004 },
      ...{ bandwidthInUseRatio: 0, computeInUseRatio: 0 },
      decisions: [{ task: task.task, placement: "local", bandwidthShare: 0, computeShare: 0 }],
    },
  ],
  "ed-1-1": [
    { kind: "generated", ...task, arrivalSeconds: 0, dataBytes: 1e6, workCycles: 1.2e9, image: 0 },
    {
      ...{ kind: "outcome", ...task, outcome: "completed-local", waitingSeconds: 0.006, delaySeconds: 0.806 },
      ...{ energyJoules: 27, chargeJoules: 120, reward: -0.5 },
    },
  ],
};

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "replay-"));
  const contents = {
    [archiveFiles.manifest]:
      "name: a\npreset: testbed\npolicies: [local]\nrepetitions: 1\nseed: 1\nclock_speed_ratio: 2\n",
    [archiveFiles.settings]: JSON.stringify(settingsToFile(presets.testbed)),
    [archiveFiles.trials]: JSON.stringify([{ number: 1, policy: "local", repetition: 1, seed: 5 }]),
    ...Object.fromEntries(
      Object.entries(journals).map(([node, records]) => [
        archiveFiles.journal(node),
        records.map((record) => `${JSON.stringify({ time: 1000, ...record })}\n`).join(""),
      ]),
    ),
  };
  for (const [file, text] of Object.entries(contents)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
});
afterEach(() => rm(folder, { recursive: true }));

it("prints how far the laboratory is from the simulator, and why", async () => {
  await sealArchive(folder, "complete", []);
  const { text, data } = await runReplay(folder);
  expect(text).toMatch(/^policy /);
  expect(text).toMatch(/\nlocal +waiting time \[s\] +0\.006 +0\.000 +0\.006 +0\.050 +yes +0\.000 +1\n/);
  expect(text).toContain("; emulated hardware, clock 2x real time\n");
  expect(text).toContain("  6.0 ms (p95 6.0) from the sub-slot's start to the task's; the decision came after 4.0 ms");
  expect(text).toContain("of an offloaded task beyond Eqs. (2) and (6):\n    upload no time");
  expect(text).toContain("\nlocal: 0 of 1 tasks go differently, 0 with the latencies\n");
  expect(data).toMatchObject({ state: "complete", policies: [{ policy: "local", tasks: 1, differing: 0 }] });
});

it("says first that a run is invalid or not sealed", async () => {
  expect((await runReplay(folder)).text.split("\n").slice(0, 2)).toEqual(["the run is unsealed", ""]);
  await sealArchive(folder, "invalid", ["a task is lost"]);
  expect((await runReplay(folder)).text.split("\n")[0]).toBe("the run is invalid: a task is lost");
});

it("has nothing to compare without a trial that came to its end", async () => {
  await writeFile(join(folder, archiveFiles.journal("cbs")), "");
  expect((await runReplay(folder)).text).toBe(
    "the run is unsealed\n\nno trial came to its end: there is nothing to compare",
  );
});

it("names the archive that cannot be read", async () => {
  await rm(join(folder, archiveFiles.settings));
  await expect(runReplay(folder)).rejects.toMatchObject({ name: "Failure", code: "archive/damaged" });
});
