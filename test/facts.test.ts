import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import { BoardTree } from "./board-tree.ts";

const script = join(import.meta.dirname, "../firmware-scripts/common/facts");
const cpufreq = "sys/devices/system/cpu/cpufreq/policy0";
const iio = "sys/bus/i2c/devices/0-0041/iio:device1";

let board: BoardTree;
beforeEach(() => {
  board = new BoardTree();
});
afterEach(() => board.remove());

const facts = (...args: readonly string[]): string[] => {
  const before = board.contents();
  const { code, stdout } = board.run(script, ...args);
  expect(code).toBe(0);
  expect(board.contents()).toEqual(before);
  return stdout.trimEnd().split("\n");
};

it("reads a Pi: meters by their address, whatever their number", () => {
  board.add({
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "proc/meminfo": "MemTotal:        3884000 kB\nMemFree: 1 kB\n",
    "etc/os-release": 'PRETTY_NAME="Raspbian GNU/Linux 11 (bullseye)"\n',
    [`${cpufreq}/scaling_governor`]: "performance\n",
    [`${cpufreq}/scaling_min_freq`]: "1500000\n",
    [`${cpufreq}/scaling_max_freq`]: "1500000\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "48200\n",
    "sys/fs/cgroup/system.slice/cpu.max": "max 100000\n",
    "sys/class/power_supply/battery/voltage_now": "5012000\n",
    "sys/class/power_supply/battery/current_now": "-812000\n",
    "sys/class/hwmon/hwmon0/name": "cpu_thermal\n",
    "sys/class/hwmon/hwmon3/name": "ina226\n",
    "sys/class/hwmon/hwmon3/shunt_resistor": "100000\n",
    "sys/class/hwmon/hwmon3/in1_input": "5080\n",
    "sys/class/hwmon/hwmon3/curr1_input": "-12\n",
    "sys/class/hwmon/hwmon3/update_interval": "35\n",
  });
  mkdirSync(join(board.root, "sys/devices/1-0040"), { recursive: true });
  symlinkSync("../../../devices/1-0040", join(board.root, "sys/class/hwmon/hwmon3/device"));
  board.program("vcgencmd", "echo throttled=0x50000");
  board.program(
    "iw",
    `case "$*" in
       "dev wlan1 link") printf 'Connected\\n\\tfreq: 5180\\n\\tsignal: -48 dBm\\n' ;;
       *power_save) echo 'Power save: off' ;;
       "reg get") printf 'global\\ncountry DE: DFS-ETSI\\n' ;;
     esac`,
  );
  board.program(
    "chronyc",
    'echo "C0A84D0A,192.168.77.10,9,1764000000.0,-0.000412,0.0001,0.0002,1.0,0.0,0.1,0.002,0.001,4.0,Normal"',
  );
  expect(facts("wlan1")).toEqual(
    expect.arrayContaining([
      "model=Raspberry Pi 4 Model B Rev 1.4",
      "supply.battery=5012000 uV, -812000 uA",
      "memory_kilobytes=3884000",
      "os=Raspbian GNU/Linux 11 (bullseye)",
      "throttled=0x50000",
      "temperature_millidegrees=48200",
      "quota_file=/sys/fs/cgroup/system.slice/cpu.max",
      "scaling_governor.policy0=performance",
      "meter.0040.chip=ina226",
      "meter.0040.shunt_micro_ohms=100000",
      "meter.0040.volts_milli=5080",
      "meter.0040.amperes_milli=-12",
      "meter.0040.interval_milliseconds=35",
      "wifi_frequency_megahertz=5180",
      "wifi_signal_dbm=-48",
      "wifi_power_save=off",
      "wifi_country=DE",
      "clock_offset_seconds=-0.000412",
      "clock_dispersion_seconds=0.001",
      "clock_leap=Normal",
    ]),
  );
});

it("reads a Jetson: power mode, processors that are there, rails and their mode", () => {
  board.add({
    "proc/device-tree/model": "quill\0",
    "sys/devices/system/cpu/online": "0,3-5\n",
    "sys/devices/system/cpu/cpu3/cpufreq/scaling_min_freq": "2035200\n",
    "sys/bus/i2c/devices/0-0041/name": "ina3221x\n",
    [`${iio}/rail_name_0`]: "VDD_IN\n",
    [`${iio}/rail_name_1`]: "VDD_SYS_CPU\n",
    [`${iio}/running_mode`]: "0\n",
    "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
    "sys/class/thermal/thermal_zone0/type": "BCPU-therm\n",
    "sys/class/thermal/thermal_zone0/temp": "41000\n",
    "sys/class/thermal/thermal_zone1/type": "MCPU-therm\n",
    "sys/class/thermal/thermal_zone1/temp": "101500\n",
    "sys/class/thermal/thermal_zone5/type": "PMIC-Die\n",
    "sys/class/thermal/thermal_zone5/temp": "120000\n",
  });
  board.program("nvpmodel", 'printf "NV Power Mode: MAXP_CORE_ARM\\n3\\n"');
  expect(facts()).toEqual(
    expect.arrayContaining([
      "model=quill",
      "cpu_online=0,3-5",
      "power_mode=3",
      "temperature_millidegrees=101500",
      "scaling_min_freq.cpu3=2035200",
      "rails.0041=VDD_IN VDD_SYS_CPU",
      "running_mode.0041=0",
      "quota_file=/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us",
    ]),
  );
});

it("finds a kernel's quotas in its configuration when no group has asked for them", () => {
  board.add({ "proc/config.gz": "" });
  writeFileSync(
    join(board.root, "proc/config.gz"),
    gzipSync("CONFIG_CFS_BANDWIDTH=y\n# CONFIG_X is not set\nCONFIG_NET_SCH_HTB=m\n"),
  );
  const found = facts();
  expect(found).toEqual(expect.arrayContaining(["kernel_cfs_bandwidth=y", "kernel_htb=m"]));
  expect(found.filter((line) => line.startsWith("quota_file"))).toEqual([]);
});

it("leaves out what it cannot find out, and never fails", () => {
  const names = facts().map((line) => line.split("=")[0]);
  expect(names).toContain("kernel_architecture");
  for (const absent of ["model", "throttled", "power_mode", "runtime", "release", "key_mode", "clock_leap"])
    expect(names).not.toContain(absent);
});
