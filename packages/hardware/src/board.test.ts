import { hertz, joules, watts } from "@offloadlab/units";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Board, emulatedBoard, openLinuxBoard } from "./board.ts";
import type { BoardConfig } from "./linux/board-config.ts";
import { BoardTree } from "./linux/board-tree.test-helper.ts";

let tree: BoardTree;
beforeEach(() => {
  tree = new BoardTree();
  tree.addIna226(0, "1-0040");
  tree.addIna226(1, "1-0041", { curr1_input: 100 });
  tree.write({
    "sys/devices/system/cpu/online": "0-3",
    "sys/devices/system/cpu/cpu3/cpufreq/scaling_cur_freq": 1_500_000,
    "sys/devices/system/cpu/cpu3/cpufreq/scaling_min_freq": 1_500_000,
    "sys/devices/system/cpu/cpu3/cpufreq/scaling_max_freq": 1_500_000,
    "sys/devices/system/cpu/cpu3/cpufreq/scaling_governor": "performance",
  });
});
afterEach(() => tree.remove());

const meter = { kind: "ina226", address: "1-0040", shunt_ohms: 0.02, gain_error_ratio: 0.01 } as const;
const config = (): BoardConfig => ({
  power_meter: meter,
  sample_period_seconds: 0.02,
  harvest: { source: "scaled", factor: 10, power_meter: { ...meter, address: "1-0041" } },
  system_root: tree.root,
});
const openLinux = () => openLinuxBoard(config(), () => {});

/** What a daemon relies on, whatever is below it. */
const checkBoard = async (board: Board): Promise<void> => {
  expect(board.environment).toMatchObject({
    hardware_verified: false,
    energy_source: expect.stringMatching(/^(emulated|measured)$/),
    harvest_source: expect.stringMatching(/^(emulated|measured|scaled)$/),
  });
  const trial = await board.beginTrial(joules(2));
  expect(board.environment["harvest_source"]).toBe(trial.harvest.source);
  const [first, second] = [trial.meter.begin(watts(3)), trial.meter.begin(watts(1))];
  const readings = await Promise.all([second.reading(joules(1)), first.reading(joules(3))]);
  for (const { joules: energy, uncertainty, coverage, method } of readings) {
    expect(Number.isFinite(energy)).toBe(true);
    expect(uncertainty).toBeGreaterThanOrEqual(0);
    expect(coverage).toBeGreaterThanOrEqual(0);
    expect(coverage).toBeLessThanOrEqual(1);
    expect(method).toMatch(/^(emulated|modelled|ina226)$/);
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

describe.each([
  ["emulated", async () => emulatedBoard],
  ["real", openLinux],
] as const)("a board that is %s", (_, open) => {
  it("keeps the contract", async () => checkBoard(await open()));
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
