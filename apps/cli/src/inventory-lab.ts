import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { nodeIds } from "@offloadlab/model";
import { AuthorityFolder, Failure, messageOf } from "@offloadlab/protocol";
import type { Manifest } from "@offloadlab/records";
import { followRun } from "./follow-run.ts";
import { type Inventory, readInventory } from "./inventory.ts";
import { authorityFolder, openStation, stationUrl } from "./lab-station.ts";
import { type LabUpOptions, labFile, loadManifest, printRun } from "./lab-up.ts";
import { ProgressLine } from "./output.ts";
import { labManifest } from "./paths.ts";
import { runPlaybook } from "./playbook.ts";
import { policyFiles } from "./policy-files.ts";
import type { RunView } from "./station-client.ts";

/** `offload lab up --inventory`: the daemons of a lab of machines, one comparison on them, its archive brought here. */
export const inventoryLabUp = async (options: LabUpOptions & { readonly inventory: string }): Promise<void> => {
  const progress = new ProgressLine();
  const inventory = await readInventory(options.inventory);
  const manifestFile = options.experiment ?? labManifest;
  const { text, manifest } = await loadManifest(manifestFile, options.policy);
  const problems = impossibleOn(inventory, manifest);
  if (problems.length > 0) throw new Failure("config/invalid", problems.join("\n"));
  await runPlaybook("start", options, {}, progress);
  await noteLab(inventory, options.home);
  const station = await openStation(inventory, options.home);
  let interrupted = false;
  try {
    const agents = await policyFiles(manifest, { ...options, manifestFile }, progress);
    const { id } = await station.begin(text, agents);
    process.on("SIGINT", () => {
      interrupted = true;
      progress.done("the run's archive is sealed first");
      station.stop().catch((error: unknown) => progress.done(messageOf(error)));
    });
    const run = await followRun(station, id, progress);
    await printRun(options, await bringHere(run, options, progress), interrupted, progress);
  } finally {
    await station.close();
  }
};

/** The archive of a run on an inventory's lab, brought here from the C-BS. */
export const bringHere = async (
  run: RunView,
  options: { readonly inventory: string; readonly home: string; readonly runs: string },
  progress: ProgressLine,
): Promise<RunView> => {
  const runs = resolve(options.runs);
  await mkdir(runs, { recursive: true });
  await runPlaybook("collect", options, { lab_runs: runs }, progress);
  return { ...run, folder: join(runs, run.id) };
};

/** What an experiment asks for that the lab has not. */
export const impossibleOn = (inventory: Inventory, manifest: Manifest): string[] => {
  const there = new Set(inventory.nodes.map(({ id }) => id));
  const missing = nodeIds(manifest.settings).filter((id) => !there.has(id));
  const measured = inventory.nodes.filter(({ variables }) => variables["hardware"] === "linux");
  return [
    ...(missing.length > 0 ? [`${inventory.file}: the experiment ${manifest.name} needs ${missing.join(", ")}`] : []),
    ...(manifest.clockSpeed !== 1 && measured.length > 0
      ? [`${manifest.name}: \`clock_speed_ratio\` must be 1 where hardware is real, got ${manifest.clockSpeed}`]
      : []),
  ];
};

/** Where `offload run` finds this lab. */
const noteLab = async (inventory: Inventory, home: string): Promise<void> => {
  const { operator } = await AuthorityFolder.open(authorityFolder(home));
  const lab = {
    pid: process.pid,
    inventory: resolve(inventory.file),
    stationUrl: stationUrl(inventory),
    dashboardUrl: `http://127.0.0.1:${inventory.dashboardPort}/`,
    operator,
    nodes: {},
  };
  await mkdir(home, { recursive: true });
  await writeFile(labFile(home), JSON.stringify(lab, null, 2), { mode: 0o600 });
};
