import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { SystemTree } from "./system-tree.ts";

/** In memory where there is such a folder, as /sys is: thousands of values are played into it. */
const folder = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** /sys and /proc of a board, in a temporary folder. */
export class BoardTree {
  readonly root = mkdtempSync(join(folder, "offloadlab-board-"));
  readonly system = new SystemTree(this.root);

  /** Writes files, `{ "sys/class/...": "value" }`. */
  write(files: Readonly<Record<string, string | number>>): void {
    for (const [file, content] of Object.entries(files)) {
      const path = join(this.root, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `${content}\n`);
    }
  }

  /** Changes one file of those that are there, unless it was broken. */
  set(file: string, content: number): void {
    const path = join(this.root, file);
    if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === true) writeFileSync(path, `${content}\n`);
  }

  link(target: string, file: string): void {
    const path = join(this.root, file);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path);
  }

  remove(file = ""): void {
    rmSync(join(this.root, file), { recursive: true, force: true });
  }

  /**
   * Makes a file that opens and then fails with EIO, as one does whose chip does not answer: the first page of a process's
   * memory is never mapped, so reading it from its beginning is an input/output error.
   */
  breakFile(file: string): void {
    this.remove(file);
    this.link("/proc/self/mem", file);
  }

  /** An INA226 on bus 1 as the kernel's ina2xx shows it. */
  addIna226(number: number, address: string, files: Readonly<Record<string, string | number>> = {}): string {
    const folder = `sys/class/hwmon/hwmon${number}`;
    const values = {
      name: "ina226",
      in0_input: 10,
      in1_input: 5100,
      curr1_input: 612,
      power1_input: 3_125_000,
      shunt_resistor: 20_000,
      update_interval: 50,
      ...files,
    };
    this.write(Object.fromEntries(Object.entries(values).map(([name, value]) => [`${folder}/${name}`, value])));
    this.link(`../../../devices/platform/soc/i2c-1/${address}`, `${folder}/device`);
    return folder;
  }

  /** An INA3221 of a TX2 under NVIDIA's driver of JetPack 4, VDD_IN on its first channel. */
  addRailInIio(number = 1): string {
    const folder = `sys/bus/i2c/devices/0-0041/iio:device${number}`;
    for (const [channel, rail] of rails.entries())
      this.write({
        [`${folder}/rail_name_${channel}`]: rail,
        [`${folder}/ui_input_${channel}`]: channel === 0 ? "19080 304" : "19080 52",
        [`${folder}/in_power${channel}_input`]: 9999,
      });
    return folder;
  }

  /** The same chip in hwmon, as from JetPack 5 on. */
  addRailInHwmon(number = 4): string {
    const folder = `sys/bus/i2c/devices/0-0041/hwmon/hwmon${number}`;
    for (const [index, rail] of rails.entries())
      this.write({
        [`${folder}/in${index + 1}_label`]: rail,
        [`${folder}/in${index + 1}_input`]: 19_080,
        [`${folder}/curr${index + 1}_input`]: index === 0 ? 304 : 52,
      });
    return folder;
  }

  /** A battery's gauge that measures currents. */
  addGauge(files: Readonly<Record<string, string | number>> = {}): string {
    const folder = "sys/class/power_supply/battery";
    const values = { status: "Discharging", voltage_now: 3_900_000, current_now: -800_000, capacity: 64, ...files };
    this.write(Object.fromEntries(Object.entries(values).map(([name, value]) => [`${folder}/${name}`, value])));
    return folder;
  }

  /** What a Raspberry Pi 4 shows of its processor. @param last the last processor that is online */
  addPi(last = 3): void {
    const clock = `sys/devices/system/cpu/cpu${last}/cpufreq`;
    this.write({
      "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.2\0",
      "sys/devices/system/cpu/online": `0-${last}`,
      [`${clock}/scaling_cur_freq`]: 1_500_000,
      [`${clock}/scaling_min_freq`]: 600_000,
      [`${clock}/scaling_max_freq`]: 1_500_000,
      [`${clock}/scaling_governor`]: "performance",
      "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
      "sys/class/thermal/thermal_zone0/temp": 48_686,
      "sys/devices/platform/soc/soc:firmware/get_throttled": "50000",
    });
  }

  /** A program of the node that prints a text, in its folder `bin`. */
  addProgram(name: string, output: string, status = 0): void {
    this.write({ [`bin/${name}`]: `#!/bin/sh\ncat <<'END'\n${output}\nEND\nexit ${status}` });
    chmodSync(join(this.root, "bin", name), 0o755);
  }
}

const rails = ["VDD_IN", "VDD_SYS_CPU", "VDD_SYS_DDR"];

/** What `iw dev wlan0 link` prints. */
export const wifiLink = `Connected to 00:11:22:33:44:55 (on wlan0)
	SSID: offload
	freq: 5180
	RX: 3423214 bytes (3932 packets)
	signal: -47 dBm
	rx bitrate: 433.3 MBit/s
	tx bitrate: 390.0 MBit/s`;

/** What `chronyc -c tracking` prints. */
export const clockTracking =
  "C0A80001,192.168.0.1,9,1764000000.123456789,-0.000231,0.000012,0.000040,-11.2,0.001,0.05,0.001800,0.000350,16.1,Normal";
