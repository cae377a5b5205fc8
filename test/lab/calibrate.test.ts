import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Fit, type ResultRow, readMeasuredWorld, readRun } from "@offloadlab/records";
import { afterAll, beforeAll, expect, test } from "vitest";
import { completeRun, offload, RehearsalProcess } from "./rehearsal-process.ts";

let rehearsal: RehearsalProcess;
let archive: string;
const inFolder = (name: string): string => join(rehearsal.folder, name);

/** Runs a manifest on the lab that is up, until it is complete. */
const completed = async (name: string, manifest: Record<string, unknown>) => {
  const file = inFolder(`${name}.yaml`);
  const common = { name, preset: "testbed", seed: 5, clock_speed_ratio: 1 };
  writeFileSync(file, JSON.stringify({ ...common, ...manifest }));
  let answer = "";
  await completeRun(async () => {
    const { stdout, stderr } = await offload("run", file, "--home", inFolder("home"), "--format", "json");
    answer = stdout;
    return stderr;
  });
  return (JSON.parse(answer) as { data: { archive: string; rows: ResultRow[] } }).data;
};

beforeAll(async () => {
  rehearsal = new RehearsalProcess(["--serve"], { policies: ["fair"] });
  await rehearsal.line(/^run \S+ is (complete|invalid)/);
  // One device in each community uploads at nine tenths of the rate: reality is not what the settings say.
  const ratios = Object.fromEntries(["ed-1-1", "ed-2-1", "ed-3-1"].map((device) => [device, 0.9]));
  archive = (await completed("measured", { policies: ["edge", "local"], repetitions: 1, uplink_rate_ratio: ratios }))
    .archive;
}, 900_000);
afterAll(() => rehearsal.remove());

test("reality, simulator, policy, reality: three commands", async () => {
  const file = inFolder("measured.settings.json");
  const calibrated = await offload("calibrate", archive, "--out", file, "--format", "json");
  expect(calibrated.code, calibrated.stderr).toBe(0);
  const { fits } = (JSON.parse(calibrated.stdout) as { data: { fits: Fit[] } }).data;
  const rates = fits.filter(({ what }) => what === "uplink rate");
  expect(rates.map(({ community }) => community)).toEqual(["R1", "R2", "R3"]);
  // Times over the theory's: 1 / 0.9 of a third of the uploads, 1 of the others.
  for (const { ratio, n } of rates) {
    expect(ratio).toBeGreaterThan(1.01);
    expect(ratio).toBeLessThan(1.1);
    expect(n).toBeGreaterThanOrEqual(10);
  }
  const { settings } = readMeasuredWorld(readFileSync(file, "utf8"));
  const { settings: assumed } = await readRun(archive);
  for (const [index, { signalToNoise }] of settings.communities.entries())
    expect(signalToNoise).toBeLessThan(assumed.communities[index]?.signalToNoise as number);

  const agents = inFolder("agents");
  const trained = await offload("train", "--settings", file, "--epochs", "2", "--out", agents);
  expect(trained.code, trained.stderr).toBe(0);
  expect(existsSync(agents)).toBe(true);

  const { rows, archive: second } = await completed("deployed", {
    policies: [{ trained: "agents", name: "calibrated" }, "fair"],
    repetitions: 1,
    settings: { time_slot_count: 4 },
  });
  expect(
    rows
      .filter(({ community }) => community === "all")
      .map(({ policy }) => policy)
      .sort(),
  ).toEqual(["calibrated", "fair"]);
  expect(rows.find(({ policy }) => policy === "calibrated")?.reward.n).toBe(1);
  // What decides in the second run is what was trained for the first: its archive holds the same agents.
  expect(existsSync(join(second, "policies", "calibrated.safetensors"))).toBe(true);
}, 900_000);
