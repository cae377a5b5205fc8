import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { parseCpuList, readBoardState, readCpuClock, readTemperature, readThrottled } from "./board-state.ts";
import { BoardTree, clockTracking, wifiLink } from "./board-tree.test-helper.ts";

let board: BoardTree;
const path = process.env["PATH"] ?? "";
beforeEach(() => {
  board = new BoardTree();
  // The programs of a node come from the tree as well.
  process.env["PATH"] = `${join(board.root, "bin")}${delimiter}/usr/bin${delimiter}/bin`;
});
afterEach(() => {
  process.env["PATH"] = path;
  board.remove();
});

it("reads lists of processors", () => {
  expect(parseCpuList("0,3-5")).toEqual([0, 3, 4, 5]);
  expect(parseCpuList("0-3")).toEqual([0, 1, 2, 3]);
});

it("a whole board, with nothing missing", async () => {
  board.addPi();
  board.addProgram("iw", wifiLink);
  board.addProgram("chronyc", clockTracking);
  expect(await readBoardState(board.system, "wlan0")).toEqual({
    clockHertz: 1.5e9,
    throttled: false,
    temperatureCelsius: 48.686,
    wifiHertz: 5.18e9,
    wifiSignalDbm: -47,
    wifiBitsPerSecond: 390e6,
    clockOffsetSeconds: -0.000231,
    clockOffsetBoundSeconds: expect.closeTo(0.00125, 9),
    failures: [],
  });
});

it("what cannot be read is null, with the failure beside it, and not a guess", async () => {
  board.addPi();
  board.breakFile("sys/class/thermal/thermal_zone0/temp");
  board.write({ "sys/devices/system/cpu/cpu3/cpufreq/scaling_cur_freq": "" });
  board.addProgram("chronyc", "506 Cannot talk to daemon", 1);
  const state = await readBoardState(board.system, "wlan0");
  expect(state).toMatchObject({
    clockHertz: null,
    temperatureCelsius: null,
    wifiHertz: null,
    clockOffsetSeconds: null,
  });
  expect(state.throttled).toBe(false);
  expect(state.failures.map((failure) => failure.split(":")[0]).sort()).toEqual([
    "sensor/absent",
    "sensor/unreadable",
    "sensor/unreadable",
    "sensor/unreadable",
  ]);
});

it.each([
  ["0", false],
  ["50000", false],
  ["50005", true],
  ["8", true],
])("a Raspberry Pi whose firmware says %s is throttled: %s", async (bits, throttled) => {
  board.addPi();
  board.write({ "sys/devices/platform/soc/soc:firmware/get_throttled": bits });
  expect(await readThrottled(board.system)).toBe(throttled);
  board.remove("sys/devices/platform/soc");
  board.addProgram("vcgencmd", `throttled=0x${bits}`);
  expect(await readThrottled(board.system)).toBe(throttled);
});

it("elsewhere a board is throttled when it runs below its pinned clock", async () => {
  board.addPi();
  board.write({ "proc/device-tree/model": "quill", "sys/devices/system/cpu/online": "0,3" });
  expect(await readThrottled(board.system)).toBe(false);
  board.write({ "sys/devices/system/cpu/cpu3/cpufreq/scaling_cur_freq": 1_200_000 });
  expect(await readThrottled(board.system)).toBe(true);
});

it("a clock is pinned by its governor or its limits; impossible rates are refused", async () => {
  board.addPi();
  expect(await readCpuClock(board.system)).toMatchObject({ rate: 1.5e9, pinned: true, online: [0, 1, 2, 3] });
  const folder = "sys/devices/system/cpu/cpu3/cpufreq";
  board.write({ [`${folder}/scaling_governor`]: "ondemand" });
  expect((await readCpuClock(board.system)).pinned).toBe(false);
  board.write({ [`${folder}/scaling_min_freq`]: 1_500_000 });
  expect((await readCpuClock(board.system)).pinned).toBe(true);
  board.write({ [`${folder}/scaling_cur_freq`]: 15 });
  await expect(readCpuClock(board.system)).rejects.toMatchObject({ code: "sensor/implausible" });
  board.remove(folder);
  await expect(readCpuClock(board.system)).rejects.toMatchObject({ code: "sensor/absent" });
});

it("the processor's temperature is that of its hottest zone; a TX2's PMIC says 100 °C whatever it is", async () => {
  board.addPi();
  board.write({
    "sys/class/thermal/thermal_zone0/type": "BCPU-therm",
    "sys/class/thermal/thermal_zone1/type": "MCPU-therm",
    "sys/class/thermal/thermal_zone1/temp": 51_000,
    "sys/class/thermal/thermal_zone5/type": "PMIC-Die",
    "sys/class/thermal/thermal_zone5/temp": 100_000,
  });
  expect(await readTemperature(board.system)).toBe(51);
  board.write({ "sys/class/thermal/thermal_zone1/temp": 400_000 });
  await expect(readTemperature(board.system)).rejects.toMatchObject({ code: "sensor/implausible" });
  board.remove("sys/class/thermal");
  await expect(readTemperature(board.system)).rejects.toMatchObject({ code: "sensor/absent" });
});
