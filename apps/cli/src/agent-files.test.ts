import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Manifest, readManifest } from "@offloadlab/records";
import { decodeDeployment } from "@offloadlab/simulation";
import { afterEach, beforeEach, expect, it } from "vitest";
import { agentFiles } from "./agent-files.ts";
import { ProgressLine } from "./output.ts";

/** Trainings of an epoch each. */
const patience = 90_000;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "offloadlab-agent-files-"));
});
afterEach(() => rm(folder, { recursive: true }));

const manifestOf = (lines: string): Manifest => {
  const text = `name: m\npreset: testbed\nrepetitions: 1\nseed: 4\ntraining: {epochs: 1}\n${lines}\n`;
  const manifest = readManifest(text, "m.yaml");
  return "problems" in manifest ? expect.fail(manifest.problems.join("\n")) : manifest;
};
const filesOf = (manifest: Manifest): Promise<Map<string, Uint8Array>> =>
  agentFiles(manifest, { manifestFile: join(folder, "m.yaml"), home: join(folder, "home") }, new ProgressLine());

it(
  "trains a method once, and takes what somebody has trained by its folder",
  async () => {
    const files = await filesOf(manifestOf("policies: [fair, td3]"));
    expect([...files.keys()]).toEqual(["td3"]);
    const trained = decodeDeployment(files.get("td3") as Uint8Array);
    expect(trained).toMatchObject({ epochs: 1, settings: { method: "td3" } });
    expect(trained.agents).toHaveLength(3);
    expect(await filesOf(manifestOf("policies: [fair, td3]"))).toEqual(files);
    const [name] = await readdir(join(folder, "home", "trained"));
    const again = await filesOf(manifestOf(`policies: [{trained: home/trained/${name}, name: mine}]`));
    expect(again.get("mine")).toEqual(files.get("td3"));
  },
  patience,
);

it("trains nothing that is to learn from scratch", async () => {
  const files = await filesOf(manifestOf("policies: [pfr-oa]\nlearning: {from: scratch}"));
  expect(decodeDeployment(files.get("pfr-oa") as Uint8Array).epochs).toBe(0);
  await expect(readdir(join(folder, "home"))).rejects.toThrow();
});

it(
  "refuses a folder that is no training, and agents for other communities",
  async () => {
    await expect(filesOf(manifestOf("policies: [{trained: nowhere}]"))).rejects.toMatchObject({
      code: "config/invalid",
    });
    await filesOf(manifestOf("policies: [td3]\nsettings: {readings: {observation: paper}}"));
    const [name] = await readdir(join(folder, "home", "trained"));
    await expect(filesOf(manifestOf(`policies: [{trained: home/trained/${name}, name: mine}]`))).rejects.toThrow(
      /do not fit these communities/,
    );
  },
  patience,
);
