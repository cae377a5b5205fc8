import { Failure } from "@offloadlab/protocol";
import { type BitsPerSecond, bitsPerSecond, type Hertz, hertz, type Seconds, seconds } from "@offloadlab/units";
import { ifAbsent, type SystemTree } from "./system-tree.ts";

/** The processor's clock rate, and whether anything may change it. */
export interface CpuClock {
  readonly rate: Hertz;
  readonly governor: string;
  /** Lowest and highest rate are the same, or the governor leaves it alone. */
  readonly pinned: boolean;
  /** Rate that it runs at unless it is throttled. */
  readonly highest: Hertz;
  /** Numbers of the processors that are online: 0, 3, 4 and 5 on a TX2 in mode 3. */
  readonly online: readonly number[];
}

/** `0,3-5` as the kernel writes lists of processors. */
export const parseCpuList = (text: string): number[] =>
  text.split(",").flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });

const cpus = "sys/devices/system/cpu";

/** @throws Failure `sensor/...` where the kernel has no cpufreq, as in a virtual machine */
export const readCpuClock = async (tree: SystemTree): Promise<CpuClock> => {
  const list = await tree.text(`${cpus}/online`);
  const online = parseCpuList(list);
  const last = online.at(-1);
  if (last === undefined || !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(list))
    throw new Failure(
      "sensor/unreadable",
      `${tree.path(cpus)}/online: expected a list of processors as 0,3-5, got ${JSON.stringify(list)}`,
    );
  const folder = `${cpus}/cpu${last}/cpufreq`;
  const kilohertz = async (name: string): Promise<number> => {
    const value = await tree.integer(`${folder}/${name}`);
    if (value < 10_000 || value > 10_000_000)
      throw new Failure(
        "sensor/implausible",
        `${tree.path(folder)}/${name}: expected 10 MHz to 10 GHz, got ${value} kHz`,
      );
    return value;
  };
  const [rate, lowest, highest, governor] = await Promise.all([
    kilohertz("scaling_cur_freq"),
    kilohertz("scaling_min_freq"),
    kilohertz("scaling_max_freq"),
    tree.text(`${folder}/scaling_governor`),
  ]);
  return {
    rate: hertz(rate * 1000),
    governor,
    pinned: lowest === highest || governor === "performance" || governor === "userspace",
    highest: hertz(highest * 1000),
    online,
  };
};

/** A rate this much below the pinned one is a throttled one: governors count in steps of some MHz. */
const throttledRatio = 0.97;

/**
 * Whether the board runs slower than it was told to: too hot, or too little voltage.
 *
 * A Raspberry Pi's firmware tells, in bits: 0 under-voltage, 1 frequency capped, 2 throttled, 3 soft temperature limit.
 * Elsewhere the clock does.
 */
export const readThrottled = async (tree: SystemTree): Promise<boolean> => {
  const model = await tree.text("proc/device-tree/model").catch(ifAbsent);
  if (model?.startsWith("Raspberry Pi") !== true) {
    const { rate, highest } = await readCpuClock(tree);
    return rate < throttledRatio * highest;
  }
  const file = "sys/devices/platform/soc/soc:firmware/get_throttled";
  const text =
    (await tree.text(file).catch(ifAbsent)) ??
    (await tree.output("vcgencmd", ["get_throttled"])).trim().replace("throttled=0x", "");
  if (!/^[0-9a-f]{1,8}$/i.test(text))
    throw new Failure(
      "sensor/unreadable",
      `${tree.path(file)}: expected hexadecimal bits, got ${JSON.stringify(text)}`,
    );
  return (Number.parseInt(text, 16) & 0b1111) !== 0;
};

/**
 * Temperature of the processor, °C: of the hottest zone that is named for it.
 *
 * @throws Failure `sensor/...`; `sensor/implausible` outside -40 to 130 °C
 */
export const readTemperature = async (tree: SystemTree): Promise<number> => {
  const folder = "sys/class/thermal";
  const values: number[] = [];
  for (const zone of (await tree.names(folder)).filter((name) => name.startsWith("thermal_zone"))) {
    if (!/cpu/i.test(await tree.text(`${folder}/${zone}/type`))) continue;
    const value = (await tree.integer(`${folder}/${zone}/temp`)) / 1000;
    if (value < -40 || value > 130)
      throw new Failure(
        "sensor/implausible",
        `${tree.path(folder)}/${zone}/temp: expected -40 to 130 °C, got ${value}`,
      );
    values.push(value);
  }
  if (values.length === 0)
    throw new Failure("sensor/absent", `${tree.path(folder)}: expected a thermal zone of the CPU, found none`);
  return Math.max(...values);
};

/** A Wi-Fi link, as its station sees it. */
export interface WifiLink {
  readonly frequency: Hertz;
  /** Received signal, dBm. */
  readonly signal: number;
  /** Of the last packets that were sent. */
  readonly bitrate: BitsPerSecond;
}

/** Reads what `iw dev <interface> link` prints. @throws Failure `sensor/absent` without a connection */
export const readWifiLink = async (tree: SystemTree, name: string): Promise<WifiLink> => {
  const text = await tree.output("iw", ["dev", name, "link"]);
  if (text.startsWith("Not connected"))
    throw new Failure("sensor/absent", `${name}: expected a connection to an access point, there is none`);
  const value = (pattern: RegExp, what: string): number => {
    const found = Number(pattern.exec(text)?.[1]);
    if (!Number.isFinite(found))
      throw new Failure("sensor/unreadable", `iw dev ${name} link: expected ${what}, got ${JSON.stringify(text)}`);
    return found;
  };
  return {
    frequency: hertz(value(/freq: ([\d.]+)/, "a frequency") * 1e6),
    signal: value(/signal: (-?\d+) dBm/, "a signal"),
    bitrate: bitsPerSecond(value(/tx bitrate: ([\d.]+) MBit\/s/, "a bitrate") * 1e6),
  };
};

/** How far this node's clock is from true time. */
export interface ClockOffset {
  /** Of the system's clock; positive when it is behind. */
  readonly offset: Seconds;
  /** The offset is within this of the truth: half the way to the source and back, and its dispersion. */
  readonly bound: Seconds;
}

/** Reads what `chronyc -c tracking` prints. @throws Failure `sensor/absent` while the clock follows no source */
export const readClockOffset = async (tree: SystemTree): Promise<ClockOffset> => {
  const fields = (await tree.output("chronyc", ["-c", "tracking"])).trim().split(",");
  // An empty field is no number, but Number("") is 0.
  const [offset, delay, dispersion] = [fields[4], fields[10], fields[11]].map((field) => Number(field || Number.NaN));
  if (fields.length < 14 || ![offset, delay, dispersion].every(Number.isFinite))
    throw new Failure(
      "sensor/unreadable",
      `chronyc -c tracking: expected 14 fields, with numbers in 5, 11 and 12, got ${JSON.stringify(fields.join(","))}`,
    );
  if (fields[13] === "Not synchronised")
    throw new Failure(
      "sensor/absent",
      "chrony: expected a time source, the clock follows none; chronyc sources says why",
    );
  return { offset: seconds(offset ?? 0), bound: seconds((delay ?? 0) / 2 + (dispersion ?? 0)) };
};

/** The state of a board at one moment; null where it could not be read. JSON, so the units are in the names. */
export interface BoardState {
  readonly clockHertz: number | null;
  readonly throttled: boolean | null;
  readonly temperatureCelsius: number | null;
  readonly wifiHertz: number | null;
  readonly wifiSignalDbm: number | null;
  readonly wifiBitsPerSecond: number | null;
  readonly clockOffsetSeconds: number | null;
  readonly clockOffsetBoundSeconds: number | null;
  /** Why something is null. */
  readonly failures: readonly string[];
}

/**
 * Reads everything of a board that a run's validity depends on.
 *
 * @param wifi interface of the uplink, or undefined on a node with a cable
 */
export const readBoardState = async (tree: SystemTree, wifi: string | undefined): Promise<BoardState> => {
  const failures: string[] = [];
  const orNull = <T>(reading: Promise<T>): Promise<T | null> =>
    reading.catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      failures.push(`${error.code}: ${error.message}`);
      return null;
    });
  const [clock, throttled, temperature, link, offset] = await Promise.all([
    orNull(readCpuClock(tree)),
    orNull(readThrottled(tree)),
    orNull(readTemperature(tree)),
    wifi === undefined ? null : orNull(readWifiLink(tree, wifi)),
    orNull(readClockOffset(tree)),
  ]);
  return {
    clockHertz: clock?.rate ?? null,
    throttled,
    temperatureCelsius: temperature,
    wifiHertz: link?.frequency ?? null,
    wifiSignalDbm: link?.signal ?? null,
    wifiBitsPerSecond: link?.bitrate ?? null,
    clockOffsetSeconds: offset?.offset ?? null,
    clockOffsetBoundSeconds: offset?.bound ?? null,
    failures,
  };
};
