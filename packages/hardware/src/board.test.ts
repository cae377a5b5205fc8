import { hertz, joules, watts } from "@offloadlab/units";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Board, emulatedBoard, openLinuxBoard } from "./board.ts";
import type { Harvest } from "./harvest.ts";
import type { BoardConfig } from "./linux/board-config.ts";
import { BoardTree } from "./linux/board-tree.test-helper.ts";

/** The files of a board whose clock is held. @param addMeter makes those of its power meter */
const treeWith = (addMeter: (tree: BoardTree) => void): BoardTree => {
  const made = new BoardTree();
  addMeter(made);
  // The receiver's.
  made.addIna226(1, "1-0041", { curr1_input: 100 });
  made.write({
    "sys/devices/system/cpu/online": "0-3",
    "sys/devices/system/cpu/cpu3/cpufreq/scaling_cur_freq": 1_500_000,
    "sys/devices/system/cpu/cpu3/cpufreq/scaling_min_freq": 1_500_000,
    "sys/devices/system/cpu/cpu3/cpufreq/scaling_max_freq": 1_500_000,
    "sys/devices/system/cpu/cpu3/cpufreq/scaling_governor": "performance",
  });
  return made;
};

let tree: BoardTree;
beforeEach(() => {
  tree = treeWith((made) => made.addIna226(0, "1-0040"));
});
afterEach(() => tree.remove());

const meter = { kind: "ina226", address: "1-0040", shunt_ohms: 0.02, gain_error_ratio: 0.01 } as const;
const receiver = { ...meter, address: "1-0041" } as const;
const config = (): BoardConfig => ({
  power_meter: meter,
  sample_period_seconds: 0.02,
  harvest: { source: "scaled", factor: 10, power_meter: receiver },
  system_root: tree.root,
});
const openLinux = () => openLinuxBoard(config(), () => {});

/**
 * What a daemon relies on, whatever is below it.
 *
 * @param meterKind what measures, or `emulated`
 */
const checkBoard = async (board: Board, meterKind: string, harvestSource: Harvest["source"]): Promise<void> => {
  expect(board.environment).toMatchObject({
    hardware_verified: false,
    energy_source: board.kind === "emulated" ? "emulated" : "measured",
    harvest_source: harvestSource,
  });
  const trial = await board.beginTrial(joules(2));
  expect(trial.harvest.source).toBe(harvestSource);
  const [first, second] = [trial.meter.begin(watts(3)), trial.meter.begin(watts(1))];
  const readings = await Promise.all([second.reading(joules(1)), first.reading(joules(3))]);
  for (const { joules: energy, uncertainty, coverage, method } of readings) {
    expect(Number.isFinite(energy)).toBe(true);
    expect(uncertainty).toBeGreaterThanOrEqual(0);
    expect(coverage).toBeGreaterThanOrEqual(0);
    expect(coverage).toBeLessThanOrEqual(1);
    expect([meterKind, ...(board.kind === "emulated" ? [] : ["modelled"])]).toContain(method);
  }
  const { energy, coverage } = trial.harvest.next();
  expect(energy).toBeGreaterThanOrEqual(0);
  expect(coverage).toBeLessThanOrEqual(1);
  const account = await trial.account();
  if (account !== null) expect(account.tasks + account.idle).toBeCloseTo(account.total, 9);
  expect(account === null).toBe(board.kind === "emulated");
  expect((await board.state()) === null).toBe(board.kind === "emulated");
  await board.close();
  await board.close();
};

it("an emulated board keeps the contract", () => checkBoard(emulatedBoard, "emulated", "emulated"));

const rail = { kind: "ina3221", address: "0-0041", rail: "VDD_IN", gain_error_ratio: 0.02 } as const;
const meters = [
  {
    name: "an INA219",
    wiring: { ...meter, kind: "ina219" },
    add: (made: BoardTree) => made.addIna226(0, "1-0040", { name: "ina219" }),
  },
  { name: "an INA226", wiring: meter, add: (made: BoardTree) => made.addIna226(0, "1-0040") },
  { name: "an INA3221 in IIO", wiring: rail, add: (made: BoardTree) => made.addRailInIio() },
  { name: "an INA3221 in hwmon", wiring: rail, add: (made: BoardTree) => made.addRailInHwmon() },
  {
    name: "a battery gauge",
    wiring: { kind: "power-supply", address: "battery", gain_error_ratio: 0.05 },
    add: (made: BoardTree) => made.addGauge(),
  },
] as const;
const harvests = [
  { source: "emulated" },
  { source: "measured", power_meter: receiver },
  { source: "scaled", factor: 10, power_meter: receiver },
] as const;

// Each waits two seconds for its idle power.
describe.concurrent.each(meters)("a real board with $name", ({ wiring, add }) => {
  it.each(harvests)("keeps the contract, its harvest $source", async (harvest) => {
    const own = treeWith(add);
    try {
      const wired = { power_meter: wiring, sample_period_seconds: 0.02, harvest, system_root: own.root };
      await checkBoard(await openLinuxBoard(wired, () => {}), wiring.kind, harvest.source);
    } finally {
      own.remove();
    }
  });
});

it("a real board says where its joules come from, and is not verified", async () => {
  const board = await openLinux();
  expect(board.environment).toMatchObject({
    energy_source: "measured",
    power_meter: meter,
    harvest_source: "scaled",
    harvest: { factor: 10 },
    clock_hertz: hertz(1.5e9),
    processors_online: [0, 1, 2, 3],
  });
  const trial = await board.beginTrial(joules(99));
  expect(trial.harvest.source).toBe("scaled");
  await board.close();
});

it.each([
  ["a meter that is not there", () => tree.remove("sys/class/hwmon/hwmon0"), "sensor/absent"],
  ["a receiver that does not answer", () => tree.breakFile("sys/class/hwmon/hwmon1/in1_input"), "sensor/unreadable"],
  [
    "a clock that is not pinned",
    () => {
      tree.write({ "sys/devices/system/cpu/cpu3/cpufreq/scaling_governor": "ondemand" });
      tree.write({ "sys/devices/system/cpu/cpu3/cpufreq/scaling_min_freq": 600_000 });
    },
    "sensor/implausible",
  ],
])("%s keeps a daemon from starting", async (_, spoil, code) => {
  spoil();
  await expect(openLinux()).rejects.toMatchObject({ code });
});

it("an INA3221 needs its rail", async () => {
  const wrong = { ...config(), power_meter: { kind: "ina3221", address: "0-0041", gain_error_ratio: 0.02 } } as const;
  await expect(openLinuxBoard(wrong, () => {})).rejects.toMatchObject({ code: "config/invalid" });
});
