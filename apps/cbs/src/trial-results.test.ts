import { appendFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeIds, presets } from "@offloadlab/model";
import { archiveFiles, type JournalRecord, type NewRecord } from "@offloadlab/records";
import { afterEach, beforeEach, expect, test } from "vitest";
import { factsOf, resultsFrom, TrialResults } from "./trial-results.ts";

const settings = presets.testbed;
const nodes = nodeIds(settings);
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "offloadlab-"));
  await mkdir(join(folder, "journals"));
  for (const node of nodes) await appendFile(join(folder, archiveFiles.journal(node)), "");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const all = new Map<string, JournalRecord[]>();
const write = async (node: string, record: NewRecord): Promise<void> => {
  const stamped = { time: 1, ...record };
  all.set(node, [...(all.get(node) ?? []), stamped]);
  await appendFile(join(folder, archiveFiles.journal(node)), `${JSON.stringify(stamped)}\n`);
};
/** A task of a trial on every device, late on every second one. */
const tasksOf = async (trial: number): Promise<void> => {
  for (const [index, node] of nodes.filter((id) => id.startsWith("ed-")).entries()) {
    const task = `${node}-${trial}`;
    const size = { arrivalSeconds: 0, dataBytes: 1, workCycles: 1, image: 0 };
    await write(node, { kind: "generated", trial, task, ...size });
    const energy = { energyJoules: index, energyUncertaintyJoules: 0, energyCoverageRatio: 1 } as const;
    const end = { endSeconds: 1, waitingSeconds: trial / 10, delaySeconds: 1, chargeJoules: 120, reward: -index };
    const labels = { label: "cat", expectedLabel: null, energyMethod: "emulated" } as const;
    const outcome = index % 2 === 0 ? "completed-local" : "late";
    await write(node, { kind: "outcome", trial, task, outcome, ...end, ...energy, ...labels });
  }
};

test("what is read trial by trial is what all journals give", async () => {
  all.clear();
  const results = new TrialResults(folder, settings, nodes);
  await tasksOf(0);
  await results.skip();
  all.clear();
  const order = ["pfr-oa", "fair", "pfr-oa", "./mine.onnx", "./mine.onnx"];
  const trials = order.map((policy, index) => ({ number: index + 1, policy, repetition: 1, seed: 1 }));
  for (const [index, trial] of trials.entries()) {
    await tasksOf(trial.number);
    if (trial.policy === "pfr-oa") {
      const sums = { epoch: 1, transitions: 1, discarded: 0, updates: 1, losses: {} };
      await write("mec-1", { kind: "learning", trial: trial.number, policy: trial.policy, ...sums });
    }
    if (trial.policy === "./mine.onnx") {
      const fallbacks = { late: trial.number, unreachable: 0, refused: 0, malformed: 0 };
      const counts = { asked: 80, adjusted: 1, fallbacks };
      for (const node of ["mec-1", "mec-2"])
        await write(node, { kind: "answers", trial: trial.number, policy: trial.policy, ...counts });
    }
    // A line that is still being written belongs to the trial that it is whole in.
    const file = join(folder, archiveFiles.journal("ed-1-1"));
    if (index === 0) await appendFile(file, '{"time":1,"kind":"battery"');
    const ended = trials.slice(0, index + 1);
    const got = await results.add(trial);
    expect(got).toEqual(resultsFrom(settings, ended, factsOf(settings, ended, all)));
    if (index === 0) await appendFile(file, ',"trial":1}\n');
  }
  const last = resultsFrom(settings, trials, factsOf(settings, trials, all));
  expect(last.learning.map(({ trial }) => trial)).toEqual([1, 3]);
  expect(last.answers.map(({ community, asked, fallbacks }) => [community, asked, fallbacks.late])).toEqual([
    ["R1", 160, 9],
    ["R2", 160, 9],
  ]);
  expect(last.results.find(({ policy, community }) => policy === "fair" && community === "all")?.reward.mean).toBe(-4);
});
