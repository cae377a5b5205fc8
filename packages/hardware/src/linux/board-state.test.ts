import { chmodSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  parseCpuList,
  readBoardState,
  readClockOffset,
  readCpuClock,
  readTemperature,
  readThrottled,
  readWifiLink,
} from "./board-state.ts";
import { BoardTree } from "./board-tree.test-helper.ts";

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

/** A program that prints a text. */
const addProgram = (name: string, output: string, status = 0): void => {
  board.write({ [`bin/${name}`]: `#!/bin/sh\ncat <<'END'\n${output}\nEND\nexit ${status}` });
  chmodSync(join(board.root, "bin", name), 0o755);
};

const addPi = (): void => {
  board.write({
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.2\0",
    "sys/devices/system/cpu/online": "0-3",
    "sys/devices/system/cpu/cpu3/cpufreq/scaling_cur_freq": 1_500_000,
    "sys/devices/system/cpu/cpu3/cpufreq/scaling_min_freq": 600_000,
    "sys/devices/system/cpu/cpu3/cpufreq/scaling_max_freq": 1_500_000,
    "sys/devices/system/cpu/cpu3/cpufreq/scaling_governor": "performance",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
    "sys/class/thermal/thermal_zone0/temp": 48_686,
    "sys/devices/platform/soc/soc:firmware/get_throttled": "50000",
  });
};

const link = `Connected to 00:11:22:33:44:55 (on wlan0)
	SSID: offload
	freq: 5180
	RX: 3423214 bytes (3932 packets)
	signal: -47 dBm
	rx bitrate: 433.3 MBit/s
	tx bitrate: 390.0 MBit/s`;
const tracking =
  "C0A80001,192.168.0.1,9,1764000000.123456789,-0.000231,0.000012,0.000040,-11.2,0.001,0.05,0.001800,0.000350,16.1,Normal";

it("reads lists of processors", () => {
  expect(parseCpuList("0,3-5")).toEqual([0, 3, 4, 5]);
  expect(parseCpuList("0-3")).toEqual([0, 1, 2, 3]);
});

it("a whole board, with nothing missing", async () => {
  addPi();
  addProgram("iw", link);
  addProgram("chronyc", tracking);
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
  addPi();
  board.breakFile("sys/class/thermal/thermal_zone0/temp");
  board.write({ "sys/devices/system/cpu/cpu3/cpufreq/scaling_cur_freq": "" });
  addProgram("chronyc", "506 Cannot talk to daemon", 1);
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
  addPi();
  board.write({ "sys/devices/platform/soc/soc:firmware/get_throttled": bits });
  expect(await readThrottled(board.system)).toBe(throttled);
  board.remove("sys/devices/platform/soc");
  addProgram("vcgencmd", `throttled=0x${bits}`);
  expect(await readThrottled(board.system)).toBe(throttled);
});

it("a Raspberry Pi whose firmware says nonsense, or cannot be asked, is not said to be well", async () => {
  addPi();
  board.write({ "sys/devices/platform/soc/soc:firmware/get_throttled": "error" });
  await expect(readThrottled(board.system)).rejects.toMatchObject({ code: "sensor/unreadable" });
  board.breakFile("sys/devices/platform/soc/soc:firmware/get_throttled");
  await expect(readThrottled(board.system)).rejects.toMatchObject({ code: "sensor/unreadable" });
  board.remove("sys/devices/platform/soc");
  await expect(readThrottled(board.system)).rejects.toMatchObject({ code: "sensor/absent" });
});

it("elsewhere a board is throttled when it runs below its pinned clock", async () => {
  addPi();
  board.write({ "proc/device-tree/model": "quill", "sys/devices/system/cpu/online": "0,3" });
  expect(await readThrottled(board.system)).toBe(false);
  board.write({ "sys/devices/system/cpu/cpu3/cpufreq/scaling_cur_freq": 1_200_000 });
  expect(await readThrottled(board.system)).toBe(true);
});

it("a clock is pinned by its governor or its limits; impossible rates are refused", async () => {
  addPi();
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
  addPi();
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

it("a station without an access point has no link, and a text of another form is no reading", async () => {
  addProgram("iw", "Not connected.");
  await expect(readWifiLink(board.system, "wlan0")).rejects.toMatchObject({ code: "sensor/absent" });
  addProgram("iw", link.replace("signal: -47 dBm", ""));
  await expect(readWifiLink(board.system, "wlan0")).rejects.toMatchObject({
    code: "sensor/unreadable",
    message: expect.stringContaining("signal"),
  });
});

it("a clock that follows no source has no offset", async () => {
  addProgram("chronyc", tracking.replace("Normal", "Not synchronised"));
  await expect(readClockOffset(board.system)).rejects.toMatchObject({ code: "sensor/absent" });
  addProgram("chronyc", "1,2,3");
  await expect(readClockOffset(board.system)).rejects.toMatchObject({ code: "sensor/unreadable" });
});
