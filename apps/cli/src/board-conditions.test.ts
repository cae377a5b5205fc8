import { expect, it } from "vitest";
import { type Finding, judgeBoard } from "./board-conditions.ts";
import { type BoardFacts, parseFacts } from "./board-facts.ts";
import type { InventoryNode } from "./inventory.ts";

const pi: InventoryNode = {
  id: "ed-1-1",
  role: "ed",
  sshHost: "192.168.77.21",
  address: "192.168.77.21",
  board: "raspberry-pi-4",
  variables: {
    processor_hertz: 1_500_000_000,
    meter: "ina226",
    meter_shunt_ohms: 0.1,
    load_address: 0x40,
    harvest_address: 0x41,
    harvest_source: "measured",
    wifi_interface: "wlan0",
    lab_country: "DE",
  },
};
const jetson: InventoryNode = { ...pi, id: "mec-1", role: "mec", board: "jetson-tx2", variables: { power_mode: 3 } };

const deployed = `
runtime=v22.23.3
key_mode=600
certificate=OK
release=0.1.0
daemon=active
daemon_restarts=0
clock_leap=Normal
clock_offset_seconds=-0.000412
clock_dispersion_seconds=0.001
memory_kilobytes=3884000
disk_free_kilobytes=9000000
`;
const healthyPi = `
model=Raspberry Pi 4 Model B Rev 1.4
kernel_architecture=aarch64
userland_architecture=armhf
python=3.9
throttled=0x0
temperature_millidegrees=48200
scaling_governor.policy0=performance
scaling_min_freq.policy0=1500000
scaling_max_freq.policy0=1500000
meter.0040.chip=ina226
meter.0040.shunt_micro_ohms=100000
meter.0040.volts_milli=5080
meter.0040.interval_milliseconds=9
meter.0041.chip=ina226
meter.0041.shunt_micro_ohms=100000
meter.0041.volts_milli=4980
meter.0041.interval_milliseconds=9
wifi_frequency_megahertz=5180
wifi_power_save=off
wifi_country=DE
wifi_signal_dbm=-48
kernel_htb=m
quota_file=/sys/fs/cgroup/system.slice/cpu.max
${deployed}`;
const healthyJetson = `
model=quill
kernel_architecture=aarch64
python=3.6
temperature_millidegrees=41000
cpu_online=0,3-5
power_mode=3
scaling_min_freq.cpu0=2035200
scaling_max_freq.cpu0=2035200
scaling_min_freq.cpu3=2035200
scaling_max_freq.cpu3=2035200
rails.0041=VDD_IN VDD_SYS_CPU VDD_SYS_DDR
running_mode.0040=0
running_mode.0041=0
kernel_htb=y
quota_file=/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us
${deployed}`;

const failing = (node: InventoryNode, facts: BoardFacts): Finding[] =>
  judgeBoard(node, facts).filter(({ level }) => level !== "ok");

it("finds nothing wrong with a board that is as the paper's", () => {
  expect(failing(pi, parseFacts(healthyPi))).toEqual([]);
  expect(failing(jetson, parseFacts(healthyJetson))).toEqual([]);
  expect(judgeBoard(pi, parseFacts(healthyPi)).length).toBeGreaterThan(20);
});

it.each([
  [pi, "model", "Raspberry Pi 3 Model B", "board", /inventory/],
  [pi, "kernel_architecture", "armv7l", "kernel of 64 bits", /arm_64bit=1/],
  [pi, "python", "3.13", "python for Ansible", /take 12/],
  [pi, "memory_kilobytes", "400000", "memory", /1 GB/],
  [pi, "disk_free_kilobytes", "1000", "free disk", /apt-get clean/],
  [pi, "throttled", "0x1", "supply and cooling now", /3 A/],
  [pi, "throttled", "0x50000", "supply and cooling since boot", /reboot/],
  [pi, "temperature_millidegrees", "82000", "temperature", /heat sink/],
  [pi, "scaling_governor.policy0", "ondemand", "processor's governor", /pin-clock 1500000000/],
  [pi, "scaling_max_freq.policy0", "1800000", "processor's clock", /pin-clock 1500000000/],
  [pi, "meter.0040.chip", "ina219", "meter of the load", /wiring/],
  // The driver's default: wrong by ten for a shunt of 0.1 ohm.
  [pi, "meter.0040.shunt_micro_ohms", "10000", "meter of the load", /wiring/],
  [pi, "meter.0041.volts_milli", "", "meter of the harvest", /wiring/],
  // The driver's default.
  [pi, "meter.0041.interval_milliseconds", "35", "meters average within a sample", /ina-interval 0[.]02/],
  [pi, "wifi_frequency_megahertz", "2437", "radio on 5 GHz", /wifi-5ghz wlan0 DE/],
  [pi, "wifi_power_save", "on", "radio awake", /wifi-5ghz/],
  [pi, "wifi_country", "00", "country of the radio", /wifi-5ghz/],
  [pi, "wifi_signal_dbm", "-80", "signal", /access point/],
  [pi, "clock_leap", "Not synchronised", "clock is synchronised", /provision/],
  [pi, "clock_offset_seconds", "0.05", "offset of the clock", /makestep/],
  [pi, "clock_dispersion_seconds", "0.2", "dispersion of the clock", /chronyc ntpdata/],
  [pi, "clock_dispersion_seconds", "", "dispersion of the clock", /C-BS/],
  [pi, "quota_file", "n", "quota of processor time", /Raspberry Pi OS 11/],
  [pi, "kernel_htb", "n", "queue discipline for shares", /paced by the daemon/],
  [pi, "runtime", "cannot execute binary file", "runtime", /offload deploy/],
  [pi, "certificate", "certificate revoked", "certificate", /offload deploy/],
  [pi, "key_mode", "644", "key is the daemon's alone", /offload deploy/],
  [pi, "daemon", "activating", "daemon", /offload node logs ed-1-1/],
  [pi, "daemon_restarts", "4", "restarts of the daemon", /offload node logs/],
  [pi, "release_set_aside", "0.2.0", "release was not set aside", /release that starts/],
  [jetson, "quota_file", "n", "quota of processor time", /L4T R32/],
  [jetson, "power_mode", "0", "power mode", /power-mode 3/],
  [jetson, "cpu_online", "0-5", "processors of mode 3", /power-mode 3/],
  [jetson, "scaling_min_freq.cpu3", "345600", "clocks are held", /pin-clocks/],
  [jetson, "rails.0041", "", "monitor of VDD_IN", /L4T R32/],
  [jetson, "running_mode.0041", "1", "monitors measure when they are read", /ina3221-mode triggered/],
])("of %o, %s=%s breaks the condition `%4$s`", (node, fact, value, condition, mend) => {
  const healthy = node === pi ? healthyPi : healthyJetson;
  const found = failing(node, { ...parseFacts(healthy), [fact]: value });
  expect(found.map((finding) => finding.condition)).toContain(condition);
  const [first] = found.filter((finding) => finding.condition === condition);
  expect(first?.mend).toMatch(mend);
  expect(first?.expected).not.toBe("");
});

it("an INA226 is to average for the longest time that fits into a sample", () => {
  const facts = (milliseconds: number): BoardFacts =>
    parseFacts(healthyPi.replaceAll("interval_milliseconds=9", `interval_milliseconds=${milliseconds}`));
  for (const [sample_period_seconds, milliseconds] of [
    [0.005, 2],
    [0.02, 9],
    [0.05, 35],
    [0.2, 141],
    [1, 563],
  ] as const)
    expect(
      failing({ ...pi, variables: { ...pi.variables, sample_period_seconds } }, facts(milliseconds)),
      `samples of ${sample_period_seconds} s`,
    ).toEqual([]);
  // An INA219 cannot be told.
  const older = parseFacts(healthyPi.replaceAll("ina226", "ina219").replace(/^.*interval.*\n/gm, ""));
  expect(failing({ ...pi, variables: { ...pi.variables, meter: "ina219" } }, older)).toEqual([]);
});

it("a kernel may keep quotas before any group has asked for them", () => {
  const facts = parseFacts(healthyPi.replace(/^quota_file.*\n/m, "kernel_cfs_bandwidth=y\n"));
  expect(failing(pi, facts)).toEqual([]);
});

it("a Pi without a receiver needs no meter of its harvest", () => {
  const facts = parseFacts(healthyPi.replace(/^meter[.]0041.*\n/gm, ""));
  expect(failing(pi, facts).map(({ condition }) => condition)).toEqual(["meter of the harvest"]);
  for (const harvest_source of ["emulated", undefined])
    expect(failing({ ...pi, variables: { ...pi.variables, harvest_source } }, facts)).toEqual([]);
});

it("a battery's gauge measures only where it gives a current", () => {
  const gauge = { meter: "power-supply", meter_supply: "battery", harvest_source: "emulated" };
  const fed: InventoryNode = { ...pi, variables: { ...pi.variables, ...gauge } };
  const with_ = (line: string): BoardFacts => parseFacts(`${healthyPi.replace(/^meter.*\n/gm, "")}${line}`);
  expect(failing(fed, with_("supply.battery=5012000 uV, -812000 uA\n"))).toEqual([]);
  for (const line of ["", "supply.other=5012000 uV, 1 uA\n", "supply.battery=5012000 uV,  uA\n"])
    expect(failing(fed, with_(line)).map(({ condition }) => condition)).toEqual(["gauge of the battery"]);
});

it("what cannot be found out does not hold", () => {
  const names = failing(pi, {}).map(({ condition }) => condition);
  for (const name of ["board", "meter of the load", "meter of the harvest", "radio on 5 GHz", "clock is synchronised"])
    expect(names).toContain(name);
  expect(failing(pi, {}).every(({ found }) => found === "nothing" || found === "none")).toBe(true);
  expect(failing(jetson, {}).map(({ condition }) => condition)).toContain("quota of processor time");
});

it("a computer needs no board's conditions, and the C-BS nobody's clock", () => {
  const station: InventoryNode = { ...pi, id: "cbs", role: "cbs", board: "computer", variables: {} };
  const facts = parseFacts(`kernel_architecture=x86_64\npython=3.11\n${deployed}`.replace("clock_leap=Normal", ""));
  expect(failing(station, facts)).toEqual([]);
});
