import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { presets, settingsToFile } from "@offloadlab/model";
import type { JournalRecord } from "@offloadlab/records";
import { hertz } from "@offloadlab/units";
import { afterAll, expect, it } from "vitest";
import { BoardTree } from "../../packages/hardware/src/linux/board-tree.test-helper.ts";
import { type LabFile, sharedHome, temporaryFolder } from "./rehearsal-process.ts";

const root = join(import.meta.dirname, "../..");
const folder = temporaryFolder();
const [pi, jetson] = [new BoardTree(), new BoardTree()];
afterAll(() => {
  for (const each of [pi, jetson]) each.remove();
  rmSync(folder, { recursive: true });
});

/** Processors at a pinned clock. */
const pin = (tree: BoardTree, online: string, last: number, kilohertz: number): void => {
  const cpus = "sys/devices/system/cpu";
  const values = { scaling_cur_freq: kilohertz, scaling_min_freq: kilohertz, scaling_max_freq: kilohertz };
  tree.write({ [`${cpus}/online`]: online, [`${cpus}/cpu${last}/cpufreq/scaling_governor`]: "performance" });
  for (const [name, value] of Object.entries(values)) tree.write({ [`${cpus}/cpu${last}/cpufreq/${name}`]: value });
};

/** Puts a program in a daemon's place that starts it with a board below it. */
const addBoard = (daemon: string, board: object): void => {
  const extra = JSON.stringify({ hardware: "linux", inference: "process", board });
  writeFileSync(
    join(folder, `dist/${daemon}.mjs`),
    `import { readFileSync, writeFileSync } from "node:fs";
const file = process.argv[3];
writeFileSync(file + ".board", JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), ...${extra} }));
process.argv[3] = file + ".board";
await import(${JSON.stringify(join(root, `dist/${daemon}.mjs`))});
`,
  );
};

/** Kills the processes that run models for the lab's nodes; says how many. */
const killInference = (): number => {
  const { nodes } = JSON.parse(readFileSync(join(folder, "home/lab.json"), "utf8")) as LabFile;
  const children = [...new Set(Object.values(nodes))].flatMap((pid) =>
    readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").trim().split(" ").map(Number),
    ),
  );
  const models = children.filter(
    (pid) => pid > 0 && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("classifier-worker"),
  );
  for (const pid of models) process.kill(pid, "SIGKILL");
  return models.length;
};

/** Runs the CLI from a folder whose EDs and MECs have boards, and kills their inference in the middle of the first trial. */
const runLab = async (): Promise<{ said: string; killed: number }> => {
  const places = ["--home", join(folder, "home"), "--runs", join(folder, "runs")];
  const given = ["--experiment", join(folder, "experiment.json"), "--images", join(sharedHome, "images")];
  const program = [join(folder, "dist/cli.mjs"), "lab", "up", "--rehearsal", ...places, ...given];
  const lab = spawn(process.execPath, program, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  let killed = 0;
  let progress = 0;
  for await (const line of createInterface(lab.stderr)) {
    said += `${line}\n`;
    // Well within the trial: its tasks are being executed.
    if (/^trial 1 /.test(line)) progress += 1;
    if (progress === 2 && killed === 0) killed = killInference();
  }
  return { said, killed };
};

it("on real boards a run says of every joule where it came from, and survives what kills ONNX Runtime", async () => {
  pin(pi, "0-3", 3, 1_500_000);
  pi.addIna226(0, "1-0040");
  pi.addIna226(1, "1-0041", { curr1_input: 20 });
  pin(jetson, "0,3-5", 5, 2_000_000);
  jetson.write({
    "sys/bus/i2c/devices/0-0041/iio:device1/rail_name_0": "VDD_IN",
    "sys/bus/i2c/devices/0-0041/iio:device1/ui_input_0": "19080 304",
  });
  mkdirSync(join(folder, "apps/cbs"), { recursive: true });
  cpSync(join(root, "dist"), join(folder, "dist"), {
    recursive: true,
    filter: (path) => !path.endsWith("release") && !path.endsWith(".map"),
  });
  cpSync(join(root, "apps/cbs/dist"), join(folder, "apps/cbs/dist"), { recursive: true });
  for (const name of ["node_modules", "package.json", "experiments"]) symlinkSync(join(root, name), join(folder, name));
  const load = { kind: "ina226", address: "1-0040", shunt_ohms: 0.02, gain_error_ratio: 0.01 };
  const common = { sample_period_seconds: 0.05 };
  addBoard("ed", {
    ...common,
    system_root: pi.root,
    power_meter: load,
    harvest: { source: "scaled", factor: 50, power_meter: { ...load, address: "1-0041" } },
  });
  addBoard("mec", {
    ...common,
    system_root: jetson.root,
    power_meter: { kind: "ina3221", address: "0-0041", rail: "VDD_IN", gain_error_ratio: 0.02 },
  });
  const [first] = presets.testbed.communities;
  if (first === undefined) throw new RangeError("expected a community in the testbed");
  const device = { ...first.device, clock: { low: hertz(1.5e9), high: hertz(1.5e9) } };
  const community = { ...first, deviceCount: 1 as never, serverClock: hertz(8e9), device };
  const settings = settingsToFile({ ...presets.testbed, communities: [community] });
  writeFileSync(
    join(folder, "experiment.json"),
    JSON.stringify({
      name: "boards",
      preset: "testbed",
      policies: ["local", "edge"],
      repetitions: 1,
      seed: 7,
      clock_speed_ratio: 1,
      settings: { communities: settings.communities, time_slot_count: 4 },
    }),
  );
  const { said, killed } = await runLab();
  const [run] = readdirSync(join(folder, "runs"));
  expect(run, said).toBeDefined();
  const archive = join(folder, "runs", run ?? "");
  const environment = (node: string) => JSON.parse(readFileSync(join(archive, `environment/${node}.json`), "utf8"));
  const journal = (node: string): JournalRecord[] =>
    readFileSync(join(archive, `journals/${node}.ndjson`), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as JournalRecord);

  expect(environment("ed-1-1")).toMatchObject({
    hardware: "linux",
    hardware_verified: false,
    energy_source: "measured",
    power_meter: load,
    harvest_source: "scaled",
    harvest: { factor: 50 },
    clock_hertz: 1.5e9,
    inference: "process",
  });
  expect(environment("mec-1")).toMatchObject({
    hardware: "linux",
    hardware_verified: false,
    processors_online: [0, 3, 4, 5],
  });

  const device1 = journal("ed-1-1");
  const ends = device1.flatMap((record) => (record.kind === "outcome" && record.outcome !== "expired" ? [record] : []));
  // `modelled` is what a rule gives, a drained battery's charge, or a task too short for two samples.
  const methods = new Set(ends.map((record) => record.energyMethod));
  expect([...methods], said).toEqual(expect.arrayContaining(["ina226", "ina226+modelled"]));
  for (const method of methods) expect(["ina226", "ina226+modelled", "modelled"]).toContain(method);
  // Both ONNX Runtime processes died in the first trial: what they had comes later, and nothing is lost.
  expect(killed, said).toBe(2);
  const local = ends.filter((record) => record.trial === 1);
  expect(local.length).toBeGreaterThan(0);
  for (const record of local) expect(record).toMatchObject({ label: expect.any(String) });
  for (const record of ends) {
    // The board draws the same all the time: a task took nothing, and its reading says no more than it knows.
    if (record.energyMethod !== "ina226") continue;
    expect(Math.abs(record.energyJoules)).toBeLessThanOrEqual(record.energyUncertaintyJoules + 1e-9);
    expect(record.energyCoverageRatio).toBeGreaterThan(0.5);
  }
  for (const record of device1.filter(({ kind }) => kind === "battery"))
    expect(record).toMatchObject({ method: "measured", harvestSource: "scaled" });
  const accounts = device1.filter((record) => record.kind === "energy");
  expect(
    accounts.map(({ trial }) => trial),
    said,
  ).toEqual(expect.arrayContaining([1, 2]));
  for (const { totalJoules, tasksJoules, idleJoules } of accounts)
    expect(Math.abs(tasksJoules + idleJoules - totalJoules)).toBeLessThan(1e-6);
  expect(device1.find(({ kind }) => kind === "board")).toMatchObject({ clockHertz: 1.5e9, throttled: false });
  const services = journal("mec-1").filter((record) => record.kind === "service-energy");
  expect(services.length).toBeGreaterThan(0);
  expect(new Set(services.map(({ energyMethod }) => energyMethod))).toEqual(new Set(["ina3221"]));
}, 180_000);
