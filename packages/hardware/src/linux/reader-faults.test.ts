// Every reader of a board against every way in which the kernel or a program fails it: a failure, never a value.
import { delimiter, join } from "node:path";
import { seconds } from "@offloadlab/units";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readClockOffset, readCpuClock, readTemperature, readThrottled, readWifiLink } from "./board-state.ts";
import { BoardTree, clockTracking, wifiLink } from "./board-tree.test-helper.ts";
import { type MeterWiring, openMeter } from "./power-meter.ts";

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

type Read = () => Promise<unknown>;

/** A reader of files. */
interface FileReader {
  readonly name: string;
  readonly open: () => Read;
  /** Makes its files. */
  readonly add: () => void;
  /** All files that its value comes from, with something that is not what it looks for there; null where any name will do. */
  readonly files: Readonly<Record<string, string | null>>;
  /** Those of them that are looked at only when a chip is looked for. */
  readonly atBinding?: readonly string[];
  /** The device under another number, and something else under its old one; absent where devices have no numbers. */
  readonly renumber?: () => void;
  /** A file with a value that cannot be, as a current that flows backwards. */
  readonly impossible: Readonly<Record<string, string | number>>;
}

const meter =
  (wiring: MeterWiring): (() => Read) =>
  () => {
    const { read } = openMeter(board.system, wiring, () => seconds(100));
    return read;
  };
const monitor = { address: "1-0040", shuntOhms: 0.02, gainError: 0.01 };
const rail: MeterWiring = { kind: "ina3221", address: "0-0041", rail: "VDD_IN", gainError: 0.02 };
const hwmon = "sys/class/hwmon/hwmon2";
const monitorFiles = {
  [`${hwmon}/name`]: "lm75",
  [`${hwmon}/shunt_resistor`]: "20 mOhm",
  [`${hwmon}/in1_input`]: "nan",
  [`${hwmon}/curr1_input`]: "612 ma",
};
const monitorBinding = [`${hwmon}/name`, `${hwmon}/shunt_resistor`, `${hwmon}/update_interval`];
/** Its neighbour, which draws less, gets the number that it had. */
const renumberMonitors = (name: string): void => {
  board.remove("sys/class/hwmon");
  board.addIna226(2, "1-0041", { name, curr1_input: 10 });
  board.addIna226(1, "1-0040", { name });
};
const iio = "sys/bus/i2c/devices/0-0041/iio:device1";
const railHwmon = "sys/bus/i2c/devices/0-0041/hwmon/hwmon4";
const cpu = "sys/devices/system/cpu";
const clock = `${cpu}/cpu3/cpufreq`;
const clockFiles = {
  [`${cpu}/online`]: "three",
  [`${clock}/scaling_cur_freq`]: "1.5 GHz",
  [`${clock}/scaling_min_freq`]: "<unknown>",
  [`${clock}/scaling_max_freq`]: "<unknown>",
  [`${clock}/scaling_governor`]: null,
};
const offline = (): void => {
  board.remove(cpu);
  board.addPi(2);
};
const zone = "sys/class/thermal/thermal_zone0";
const firmware = "sys/devices/platform/soc/soc:firmware/get_throttled";
const gauge = "sys/class/power_supply/battery";

const fileReaders: readonly FileReader[] = [
  {
    name: "an INA219 in hwmon",
    open: meter({ ...monitor, kind: "ina219" }),
    add: () => board.addIna226(2, "1-0040", { name: "ina219" }),
    files: monitorFiles,
    atBinding: monitorBinding,
    renumber: () => renumberMonitors("ina219"),
    impossible: { [`${hwmon}/curr1_input`]: -612 },
  },
  {
    name: "an INA226 in hwmon",
    open: meter({ ...monitor, kind: "ina226" }),
    add: () => board.addIna226(2, "1-0040"),
    files: { ...monitorFiles, [`${hwmon}/update_interval`]: "50 ms" },
    atBinding: monitorBinding,
    renumber: () => renumberMonitors("ina226"),
    impossible: { [`${hwmon}/curr1_input`]: -612 },
  },
  {
    name: "an INA3221 in IIO",
    open: meter(rail),
    add: () => board.addRailInIio(1),
    files: { [`${iio}/rail_name_0`]: "VDD_5V0", [`${iio}/ui_input_0`]: "19080 ma" },
    atBinding: [`${iio}/rail_name_0`],
    renumber: () => {
      board.remove("sys/bus");
      board.addRailInIio(0);
    },
    impossible: { [`${iio}/ui_input_0`]: "19080 -304" },
  },
  {
    name: "an INA3221 in hwmon",
    open: meter(rail),
    add: () => board.addRailInHwmon(4),
    files: {
      [`${railHwmon}/in1_label`]: "VDD_5V0",
      [`${railHwmon}/in1_input`]: "nan",
      [`${railHwmon}/curr1_input`]: "304 ma",
    },
    atBinding: [`${railHwmon}/in1_label`],
    renumber: () => {
      board.remove("sys/bus");
      board.addRailInHwmon(2);
    },
    impossible: { [`${railHwmon}/curr1_input`]: -304 },
  },
  {
    // A gauge's currents have the sign of its driver: what it says of the direction is its status.
    name: "a battery gauge",
    open: meter({ kind: "power-supply", address: "battery", gainError: 0.05 }),
    add: () => board.addGauge(),
    files: { [`${gauge}/voltage_now`]: "3.9 V", [`${gauge}/current_now`]: "nan", [`${gauge}/status`]: "Charging" },
    impossible: { [`${gauge}/voltage_now`]: -3_900_000 },
  },
  {
    name: "the processor's clock",
    open: () => () => readCpuClock(board.system).then(({ rate, highest }) => [rate, highest]),
    add: () => board.addPi(),
    files: clockFiles,
    renumber: offline,
    impossible: { [`${clock}/scaling_cur_freq`]: -1_500_000 },
  },
  {
    name: "whether a Raspberry Pi is throttled",
    open: () => () => readThrottled(board.system),
    add: () => board.addPi(),
    files: { [firmware]: "error" },
    impossible: { [firmware]: -1 },
  },
  {
    name: "whether another board is throttled",
    open: () => () => readThrottled(board.system),
    add: () => {
      board.addPi();
      board.write({ "proc/device-tree/model": "quill" });
    },
    files: clockFiles,
    renumber: () => {
      offline();
      board.write({ "proc/device-tree/model": "quill" });
    },
    impossible: { [`${clock}/scaling_max_freq`]: 0 },
  },
  {
    name: "the processor's temperature",
    open: () => () => readTemperature(board.system),
    add: () => board.addPi(),
    files: { [`${zone}/type`]: "gpu-thermal", [`${zone}/temp`]: "48.686" },
    renumber: () => {
      board.write({ [`${zone}/type`]: "PMIC-Die", [`${zone}/temp`]: 100_000 });
      board.write({ "sys/class/thermal/thermal_zone3/type": "cpu-thermal" });
      board.write({ "sys/class/thermal/thermal_zone3/temp": 48_686 });
    },
    impossible: { [`${zone}/temp`]: -60_000 },
  },
];

// All that the kernel has for it (ABI/testing/sysfs-class-power), and what it has not.
it.each(["Unknown", "Charging", "Not charging", "Full", "discharging", "?"])(
  "a battery gauge whose status is %s tells nothing of the load until it discharges",
  async (status) => {
    board.addGauge({ status });
    const { read } = openMeter(board.system, { kind: "power-supply", address: "battery", gainError: 0.05 });
    await expect(read()).rejects.toMatchObject({
      code: "sensor/implausible",
      message: expect.stringContaining(
        `battery/status: expected Discharging, a battery that feeds the load, got ${status}`,
      ),
    });
    board.write({ [`${gauge}/status`]: "Discharging" });
    expect((await read()).power).toBeCloseTo(3.9 * 0.8, 9);
  },
);

const anyFailure = expect.stringMatching(/^sensor\/(absent|unreadable|implausible)$/);

describe.each(fileReaders)("$name", ({ open, add, files, atBinding = [], impossible }) => {
  describe.each(Object.entries(files))("%s", (file, nonsense) => {
    const faults = [
      { fault: "missing", code: "sensor/absent", make: () => board.remove(file) },
      { fault: "EIO", code: "sensor/unreadable", make: () => board.breakFile(file) },
      { fault: "empty", code: "sensor/unreadable", make: () => board.write({ [file]: "" }) },
      ...(nonsense === null
        ? []
        : [{ fault: "nonsense", code: anyFailure, make: () => board.write({ [file]: nonsense }) }]),
    ];
    it.each(faults)("$fault: a failure while it lasts, and then the value again", async ({ code, make }) => {
      add();
      const read = open();
      const value = await read();
      const content = await board.system.text(file);
      make();
      await expect(open()()).rejects.toMatchObject({ code });
      if (atBinding.includes(file)) expect(await read()).toEqual(value);
      else await expect(read()).rejects.toMatchObject({ code });
      board.remove(file);
      board.write({ [file]: content });
      expect(await read()).toEqual(value);
    });
  });

  it("is absent before its device is there and after it has gone, and answers again once it is back", async () => {
    const read = open();
    await expect(read()).rejects.toMatchObject({ code: "sensor/absent" });
    add();
    const value = await read();
    board.remove("sys");
    await expect(read()).rejects.toMatchObject({ code: "sensor/absent" });
    add();
    expect(await read()).toEqual(value);
  });

  it("refuses what cannot be", async () => {
    add();
    const read = open();
    await read();
    board.write(impossible);
    await expect(read()).rejects.toMatchObject({ code: anyFailure });
  });
});

it.each(fileReaders.filter(({ renumber }) => renumber !== undefined))(
  "$name: renumbered by a re-bind, it is found again, and what has its number now is not it",
  async ({ add, open, renumber }) => {
    add();
    const read = open();
    const value = await read();
    renumber?.();
    // The first reading may still have looked at the old place.
    const first = await read().catch((error: unknown) => error);
    if (first instanceof Error) expect(first).toMatchObject({ code: "sensor/absent" });
    else expect(first).toEqual(value);
    expect(await read()).toEqual(value);
  },
);

it.each([
  ["EIO", () => board.breakFile("proc/device-tree/model")],
  ["nothing", () => board.write({ "proc/device-tree/model": "" })],
])("a board whose model is %s when it is asked for is not said to be well", async (_, make) => {
  board.addPi();
  make();
  await expect(readThrottled(board.system)).rejects.toMatchObject({ code: "sensor/unreadable" });
});

/** A reader of what a program prints. */
interface ProgramReader {
  readonly name: string;
  readonly program: string;
  readonly read: () => Promise<unknown>;
  readonly output: string;
  /** Outputs that hold no reading. */
  readonly wrong: readonly (readonly [what: string, output: string])[];
}

const chronyFields = clockTracking.split(",");
const withField = (index: number, content: string): string => chronyFields.with(index, content).join(",");

const programReaders: readonly ProgramReader[] = [
  {
    name: "the Wi-Fi link",
    program: "iw",
    read: () => readWifiLink(board.system, "wlan0"),
    output: wifiLink,
    wrong: [
      ["no connection", "Not connected."],
      ...["\tfreq: 5180\n", "\tsignal: -47 dBm\n", "\n\ttx bitrate: 390.0 MBit/s"].map(
        (line) => [`no ${line.trim().split(":")[0]}`, wifiLink.replace(line, "")] as const,
      ),
      ["a frequency that is no number", wifiLink.replace("5180", "...")],
      ["a signal that is no number", wifiLink.replace("-47", "nan")],
      ["a bitrate that is no number", wifiLink.replace("390.0", ".")],
    ],
  },
  {
    name: "the clock's offset",
    program: "chronyc",
    read: () => readClockOffset(board.system),
    output: clockTracking,
    wrong: [
      ["no source", clockTracking.replace("Normal", "Not synchronised")],
      ["fewer fields", "1,2,3"],
      ...[4, 10, 11].flatMap((index) => [
        [`nothing in field ${index + 1}`, withField(index, "")] as const,
        [`no number in field ${index + 1}`, withField(index, "nan")] as const,
      ]),
    ],
  },
  {
    name: "whether a Raspberry Pi is throttled, of its firmware",
    program: "vcgencmd",
    read: () => {
      board.addPi();
      board.remove(firmware);
      return readThrottled(board.system);
    },
    output: "throttled=0x50000",
    wrong: [
      ["no bits", "throttled=0x"],
      ["bits that are no number", "throttled=error"],
      ["a negative number", "throttled=0x-1"],
    ],
  },
];

describe.each(programReaders)("$name", ({ program, read, output, wrong }) => {
  it.each([
    ["is not there", "sensor/absent", () => {}],
    ["cannot be started", "sensor/unreadable", () => board.breakFile(`bin/${program}`)],
    ["prints nothing", "sensor/unreadable", () => board.addProgram(program, "")],
    ["fails", "sensor/unreadable", () => board.addProgram(program, output, 1)],
    ...wrong.map(([what, text]) => [`prints ${what}`, anyFailure, () => board.addProgram(program, text)] as const),
  ] as const)("fails when its program %s, and answers again after that", async (_, code, make) => {
    board.addProgram(program, output);
    const value = await read();
    board.remove(`bin/${program}`);
    make();
    await expect(read()).rejects.toMatchObject({ code });
    board.remove(`bin/${program}`);
    board.addProgram(program, output);
    expect(await read()).toEqual(value);
  });
});
