import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onnxEngine } from "@offloadlab/learning";
import { presets } from "@offloadlab/model";
import { archiveFiles, Journal, LineWriter, type Manifest, readJournal, readManifest } from "@offloadlab/records";
import { deploymentOf, encodeDeployment, type Method, Training, trainingSettings } from "@offloadlab/simulation";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RunFederations } from "./run-federations.ts";

let folder: string;
let journal: Journal;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "offloadlab-"));
  await mkdir(join(folder, "journals"));
  journal = new Journal(await LineWriter.open(join(folder, archiveFiles.journal("cbs"))), () => 1);
});
afterEach(async () => {
  await journal.close();
  await rm(folder, { recursive: true, force: true });
});

const agentsOf = async (method: Method): Promise<Uint8Array> => {
  const choice = { epochs: 1, networks: "set", hyperparameters: "recommended" } as const;
  const training = new Training(presets.testbed, trainingSettings(method, choice), onnxEngine, 1);
  const bytes = encodeDeployment(deploymentOf(training));
  await training.close();
  return bytes;
};
const open = async (learning: string): Promise<RunFederations> => {
  const text = `name: a\npreset: testbed\npolicies: [pfr-oa, td3]\nrepetitions: 1\nseed: 1\n${learning}`;
  const manifest = readManifest(text, "a.yaml") as Manifest;
  const agents = new Map([
    ["pfr-oa", await agentsOf("pfr-oa")],
    ["td3", await agentsOf("td3")],
  ]);
  return RunFederations.open(manifest, agents, { run: "a", folder, journal, unixNow: () => 1, log: () => {} });
};

test("federates the policies that learn by Algorithm 2, and no other", async () => {
  const federations = await open("learning: {}\n");
  expect(federations.views().map(({ policy }) => policy)).toEqual(["pfr-oa"]);
  expect(federations.find("td3")).toBeUndefined();
  expect(federations.find("pfr-oa")?.setup).toMatchObject({
    nodes: ["mec-1", "mec-2", "mec-3"],
    minimumReports: 2,
    settings: { federateEvery: 10, globalShare: 0.3 },
  });
  expect(Object.keys(federations.find("pfr-oa")?.setup.shapes ?? {}).sort()).toEqual(["actor", "critic1", "critic2"]);
});

test("federates nothing when policies stay as they are", async () => {
  expect((await open("")).views()).toEqual([]);
});

test("Alg. 1, line 3: a round before every f_p-th trial of its own policy, but the first", async () => {
  const federations = await open("learning: {federate_every: 2}\n");
  // Rounds in which nobody takes part end at once.
  const stop = AbortSignal.abort("nobody is here");
  const order = ["pfr-oa", "td3", "pfr-oa", "td3", "pfr-oa", "td3", "pfr-oa", "pfr-oa"];
  for (const [index, policy] of order.entries()) {
    const epochsBefore = order.slice(0, index).filter((each) => each === policy).length;
    await federations.before(policy, index + 1, epochsBefore, stop);
    // Of a trial that is repeated: its round has taken place.
    await federations.before(policy, index + 1, epochsBefore, stop);
  }
  await journal.flush();
  const records = await readJournal(join(folder, archiveFiles.journal("cbs")));
  // Its third trial is the fifth of the run, its fifth the eighth.
  expect(records.flatMap((record) => (record.kind === "round-open" ? [record.trial] : []))).toEqual([4, 7]);
});
