import type { BoardFacts } from "./board-facts.ts";
import { type InventoryNode, isHarvestMetered } from "./inventory.ts";

/** What a machine must be like to take part in a lab, and whether it is. */
export interface Finding {
  readonly condition: string;
  /** A problem spoils runs or prevents them; a warning may. */
  readonly level: "ok" | "warning" | "problem";
  readonly found: string;
  readonly expected: string;
  /** The command, or the act, that mends it. */
  readonly mend: string;
}

type Board = InventoryNode["board"];
type Context = { readonly facts: BoardFacts; readonly node: InventoryNode };

/** One condition: for which machines, what is expected, whether it holds, and what mends it. */
interface Condition {
  readonly name: string;
  readonly applies?: (context: Context) => boolean;
  readonly found: (facts: BoardFacts, node: InventoryNode) => string | undefined;
  readonly expected: string | ((node: InventoryNode) => string);
  readonly holds: (found: string, node: InventoryNode) => boolean;
  readonly mend: string | ((node: InventoryNode) => string);
  /** How bad it is when it does not hold, or is not known. */
  readonly otherwise?: "warning";
}

const tools = "sudo /usr/local/lib/offload";
const on =
  (...boards: readonly Board[]) =>
  ({ node }: Context): boolean =>
    boards.includes(node.board);
const deployed = ({ facts }: Context): boolean => facts["release"] !== undefined;
const numberOf = (node: InventoryNode, name: string, otherwise: number): number =>
  Number(node.variables[name] ?? otherwise);
const hexOf = (address: number): string => address.toString(16).padStart(4, "0");
const compared = (a: string, b: string): number => {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  return (left?.[0] ?? 0) - (right?.[0] ?? 0) || (left?.[1] ?? 0) - (right?.[1] ?? 0);
};
/** The values of a fact for each of its policies, all of them. */
const everyPolicy = (facts: BoardFacts, name: string): string | undefined => {
  const values = Object.entries(facts).filter(([key]) => key.startsWith(`${name}.`));
  return values.length === 0 ? undefined : [...new Set(values.map(([, value]) => value))].join(" ");
};
const kilohertz = (node: InventoryNode): string => String(numberOf(node, "processor_hertz", 1.5e9) / 1000);

/** A meter at an I2C address, as the inventory has it. */
const meterAt = (
  name: "load_address" | "harvest_address",
  otherwise: number,
  what: string,
  isWired: (node: InventoryNode) => boolean = () => true,
): Condition => ({
  name: `meter of ${what}`,
  applies: ({ node }) =>
    node.board === "raspberry-pi-4" && ["ina219", "ina226"].includes(String(node.variables["meter"])) && isWired(node),
  found: (facts, node) => {
    const place = hexOf(numberOf(node, name, otherwise));
    const chip = facts[`meter.${place}.chip`];
    return (
      chip &&
      `${chip}, ${facts[`meter.${place}.shunt_micro_ohms`]} uOhm, ${facts[`meter.${place}.volts_milli`] ?? "no"} mV`
    );
  },
  expected: (node) =>
    `${node.variables["meter"]} at 0x${numberOf(node, name, otherwise).toString(16)}, ${numberOf(node, "meter_shunt_ohms", 0.1) * 1e6} uOhm, readable`,
  holds: (found, node) => {
    const [chip, shunt, volts] = found.split(", ");
    return (
      chip === node.variables["meter"] &&
      Math.abs(Number.parseFloat(shunt ?? "") - numberOf(node, "meter_shunt_ohms", 0.1) * 1e6) < 1 &&
      Number.isFinite(Number.parseFloat(volts ?? ""))
    );
  },
  mend: "check its wiring (docs/lab.md), then offload provision --reboot",
});

/** The conversions of an INA226 that make one average: it takes no other number. Source: kernel, drivers/hwmon/ina2xx.c. */
const averages = [1, 4, 16, 64, 128, 256];
/** The longest average of an INA226 that is not longer than a sample, ms, as the kernel rounds it: a conversion takes 2.2 ms. */
const meterInterval = (node: InventoryNode): number =>
  Math.round(
    2.2 *
      Math.max(1, ...averages.filter((count) => count * 2.2 <= numberOf(node, "sample_period_seconds", 0.02) * 1000)),
  );

/** Everything that the boards' quirks taught (docs/lab.md), in the order in which a board is set up. */
const conditions: readonly Condition[] = [
  {
    name: "board",
    applies: on("raspberry-pi-4", "jetson-tx2"),
    found: (facts) => facts["model"],
    expected: ({ board }) => (board === "raspberry-pi-4" ? "Raspberry Pi 4" : "Jetson TX2 (quill)"),
    holds: (found, { board }) => (board === "raspberry-pi-4" ? /Raspberry Pi 4/ : /quill|TX2/i).test(found),
    mend: "correct `board` in the inventory",
  },
  {
    name: "kernel of 64 bits",
    found: (facts) => facts["kernel_architecture"],
    expected: ({ board }) => (board === "computer" ? "x86_64 or aarch64" : "aarch64"),
    holds: (found, { board }) => found === "aarch64" || (board === "computer" && found === "x86_64"),
    mend: "put arm_64bit=1 into config.txt and reboot; programs of 32 bits may stay",
  },
  {
    name: "python for Ansible",
    found: (facts) => facts["python"],
    expected: "3.5 to 3.11",
    holds: (found) => compared(found, "3.5") >= 0 && compared(found, "3.11") <= 0,
    mend: "ssh to it and sudo apt-get install python3; an image of Debian 13 is too new for ansible-core 2.14, take 12",
  },
  {
    name: "memory",
    found: (facts) => facts["memory_kilobytes"],
    expected: "at least 900000 kB",
    holds: (found) => Number(found) >= 900_000,
    mend: "take a board with 1 GB or more",
  },
  {
    name: "free disk",
    found: (facts) => facts["disk_free_kilobytes"],
    expected: "at least 1000000 kB free at /var/lib",
    holds: (found) => Number(found) >= 1_000_000,
    mend: "sudo apt-get clean; remove old journals in /var/lib/offload, or take a larger card",
  },
  {
    name: "supply and cooling now",
    applies: on("raspberry-pi-4"),
    found: (facts) => facts["throttled"],
    expected: "bits 0 to 3 of get_throttled clear",
    holds: (found) => (Number(found) & 0xf) === 0,
    mend: `a supply of 5.1 V and 3 A with a short cable, a heat sink; look again with ${tools}/throttle-check`,
  },
  {
    name: "supply and cooling since boot",
    applies: on("raspberry-pi-4"),
    found: (facts) => facts["throttled"],
    expected: "bits 16 to 19 of get_throttled clear",
    holds: (found) => ((Number(found) >> 16) & 0xf) === 0,
    mend: "as above; bits 16 to 19 are cleared by a reboot",
    otherwise: "warning",
  },
  {
    name: "temperature",
    applies: on("raspberry-pi-4", "jetson-tx2"),
    found: (facts) => facts["temperature_millidegrees"],
    expected: "below 75000 (thousandths of a degree) before a run",
    holds: (found) => Number(found) < 75_000,
    mend: "let it cool; add a heat sink or a fan",
    otherwise: "warning",
  },
  {
    name: "processor's governor",
    applies: on("raspberry-pi-4"),
    found: (facts) => everyPolicy(facts, "scaling_governor"),
    expected: "performance",
    holds: (found) => found === "performance",
    mend: (node) => `${tools}/pin-clock ${numberOf(node, "processor_hertz", 1.5e9)}`,
  },
  {
    name: "processor's clock",
    applies: on("raspberry-pi-4"),
    found: (facts) => {
      const [least, most] = [everyPolicy(facts, "scaling_min_freq"), everyPolicy(facts, "scaling_max_freq")];
      return least === undefined || most === undefined ? undefined : `${least} to ${most} kHz`;
    },
    expected: (node) => `${kilohertz(node)} to ${kilohertz(node)} kHz`,
    holds: (found, node) => found === `${kilohertz(node)} to ${kilohertz(node)} kHz`,
    mend: (node) => `${tools}/pin-clock ${numberOf(node, "processor_hertz", 1.5e9)}`,
  },
  {
    name: "power mode",
    applies: on("jetson-tx2"),
    found: (facts) => facts["power_mode"],
    expected: (node) => `${numberOf(node, "power_mode", 3)}`,
    holds: (found, node) => Number(found) === numberOf(node, "power_mode", 3),
    mend: (node) => `${tools}/power-mode ${numberOf(node, "power_mode", 3)}`,
  },
  {
    name: "processors of mode 3",
    applies: ({ node }) => node.board === "jetson-tx2" && numberOf(node, "power_mode", 3) === 3,
    found: (facts) => facts["cpu_online"],
    expected: "0,3-5 (the Cortex-A57)",
    holds: (found) => found === "0,3-5",
    mend: `${tools}/power-mode 3`,
  },
  {
    name: "clocks are held",
    applies: on("jetson-tx2"),
    found: (facts) => {
      const [least, most] = [everyPolicy(facts, "scaling_min_freq"), everyPolicy(facts, "scaling_max_freq")];
      return least === undefined || most === undefined ? undefined : `${least} to ${most} kHz`;
    },
    expected: "lowest and highest clock the same",
    holds: (found) => /^(\d+) to \1 kHz$/.test(found),
    mend: `${tools}/pin-clocks`,
  },
  {
    name: "monitor of VDD_IN",
    applies: on("jetson-tx2"),
    found: (facts) => facts["rails.0041"],
    expected: "VDD_IN at 0-0041",
    holds: (found) => found.split(" ").includes("VDD_IN"),
    mend: "is this L4T R32? `ls /sys/bus/i2c/devices/0-0041/`",
  },
  {
    name: "monitors measure when they are read",
    applies: ({ node, facts }) => node.board === "jetson-tx2" && everyPolicy(facts, "running_mode") !== undefined,
    found: (facts) => everyPolicy(facts, "running_mode"),
    expected: "0",
    holds: (found) => found === "0",
    mend: `${tools}/ina3221-mode triggered`,
    otherwise: "warning",
  },
  meterAt("load_address", 0x40, "the load"),
  meterAt("harvest_address", 0x41, "the harvest", isHarvestMetered),
  {
    name: "meters average within a sample",
    applies: ({ node }) => node.board === "raspberry-pi-4" && node.variables["meter"] === "ina226",
    found: (facts) => {
      const values = Object.entries(facts).filter(([key]) => /^meter[.].*[.]interval_milliseconds$/.test(key));
      return values.length === 0 ? undefined : [...new Set(values.map(([, value]) => `${value} ms`))].join(", ");
    },
    expected: (node) => `${meterInterval(node)} ms for samples of ${numberOf(node, "sample_period_seconds", 0.02)} s`,
    holds: (found, node) => found === `${meterInterval(node)} ms`,
    mend: (node) =>
      `${tools}/ina-interval ${numberOf(node, "sample_period_seconds", 0.02)}; then offload stop and offload start: a daemon reads it once`,
    otherwise: "warning",
  },
  {
    name: "gauge of the battery",
    applies: ({ node }) => node.variables["meter"] === "power-supply",
    found: (facts, node) => facts[`supply.${node.variables["meter_supply"]}`],
    expected: (node) => `${node.variables["meter_supply"]} in /sys/class/power_supply, with voltage and current`,
    holds: (found) => /^\d+ uV, -?\d+ uA$/.test(found),
    mend: "load the gauge's overlay (docs/lab.md); one without current_now cannot measure energy, take an INA226",
  },
  {
    name: "radio on 5 GHz",
    applies: ({ node }) => node.variables["wifi_interface"] !== undefined,
    found: (facts) => facts["wifi_frequency_megahertz"],
    expected: "above 5000 MHz",
    holds: (found) => Number(found) > 5000,
    mend: (node) => `${tools}/wifi-5ghz ${node.variables["wifi_interface"]} ${node.variables["lab_country"]}`,
  },
  {
    name: "radio awake",
    applies: ({ node }) => node.variables["wifi_interface"] !== undefined,
    found: (facts) => facts["wifi_power_save"],
    expected: "power save off",
    holds: (found) => found === "off",
    mend: (node) => `${tools}/wifi-5ghz ${node.variables["wifi_interface"]} ${node.variables["lab_country"]}`,
  },
  {
    name: "country of the radio",
    applies: ({ node }) =>
      node.variables["wifi_interface"] !== undefined && node.variables["lab_country"] !== undefined,
    found: (facts) => facts["wifi_country"],
    expected: (node) => String(node.variables["lab_country"]),
    holds: (found, node) => found === node.variables["lab_country"],
    mend: (node) => `${tools}/wifi-5ghz ${node.variables["wifi_interface"]} ${node.variables["lab_country"]}`,
  },
  {
    name: "signal",
    applies: ({ node }) => node.variables["wifi_interface"] !== undefined,
    found: (facts) => facts["wifi_signal_dbm"],
    expected: "above -70 dBm",
    holds: (found) => Number(found) > -70,
    mend: "move the board or the access point",
    otherwise: "warning",
  },
  {
    name: "clock is synchronised",
    applies: ({ node }) => node.role !== "cbs",
    found: (facts) => facts["clock_leap"],
    expected: "Normal, by chrony",
    holds: (found) => found === "Normal",
    mend: "offload provision; then chronyc sources on the board",
  },
  {
    name: "offset of the clock",
    applies: ({ node, facts }) => node.role !== "cbs" && facts["clock_leap"] === "Normal",
    found: (facts) => facts["clock_offset_seconds"],
    expected: "within 0.005 s of the C-BS",
    holds: (found) => Math.abs(Number(found)) <= 0.005,
    mend: "wait a minute after boot; then chronyc makestep on the board",
  },
  {
    name: "dispersion of the clock",
    applies: ({ node, facts }) => node.role !== "cbs" && facts["clock_leap"] === "Normal",
    found: (facts) => facts["clock_dispersion_seconds"],
    expected: "at most 0.05 s of root dispersion",
    holds: (found) => Number.parseFloat(found) <= 0.05,
    mend: "wait some minutes after boot; then chronyc ntpdata on the board, and chronyc tracking on the C-BS, whose own it contains",
    otherwise: "warning",
  },
  {
    name: "queue discipline for shares",
    applies: ({ node, facts }) => node.board !== "computer" && facts["kernel_htb"] !== undefined,
    found: (facts) => facts["kernel_htb"],
    expected: "CONFIG_NET_SCH_HTB is y or m",
    holds: (found) => found === "y" || found === "m",
    mend: "none is needed: uploads are paced by the daemon; shares of other traffic are not",
    otherwise: "warning",
  },
  {
    name: "quota of processor time",
    applies: on("raspberry-pi-4", "jetson-tx2"),
    found: (facts) => facts["quota_file"] ?? facts["kernel_cfs_bandwidth"],
    expected: "cpu.max, cpu.cfs_quota_us or CONFIG_CFS_BANDWIDTH",
    holds: (found) => found.startsWith("/") || found === "y",
    mend: ({ board }) =>
      `a kernel with CONFIG_CFS_BANDWIDTH (${board === "jetson-tx2" ? "late L4T R32" : "Raspberry Pi OS 11 or later"}); shares are kept by the daemon's own scheduler until then`,
    otherwise: "warning",
  },
  {
    name: "runtime",
    applies: deployed,
    found: (facts) => facts["runtime"],
    expected: "v22, started here",
    holds: (found) => /^v\d+\.\d+\.\d+$/.test(found),
    mend: "offload deploy",
  },
  {
    name: "certificate",
    applies: deployed,
    found: (facts) => facts["certificate"],
    expected: "OK: of this lab, in its time, not revoked",
    holds: (found) => found === "OK",
    mend: "offload deploy",
  },
  {
    name: "key is the daemon's alone",
    applies: deployed,
    found: (facts) => facts["key_mode"],
    expected: "600",
    holds: (found) => found === "600",
    mend: "offload deploy",
  },
  {
    name: "daemon",
    applies: deployed,
    found: (facts) => facts["daemon"],
    expected: "active",
    holds: (found) => found === "active",
    mend: (node) => `offload start; offload node logs ${node.id}`,
  },
  {
    name: "restarts of the daemon",
    applies: ({ facts }) => facts["daemon_restarts"] !== undefined,
    found: (facts) => facts["daemon_restarts"],
    expected: "0",
    holds: (found) => found === "0",
    mend: (node) => `offload node logs ${node.id}`,
    otherwise: "warning",
  },
  {
    name: "release was not set aside",
    applies: deployed,
    found: (facts) => facts["release_set_aside"] ?? "none",
    expected: "none",
    holds: (found) => found === "none",
    mend: (node) => `offload node logs ${node.id}; then offload deploy a release that starts`,
    otherwise: "warning",
  },
];

/** Judges a machine by what was found on it. What cannot be found out does not hold. */
export const judgeBoard = (node: InventoryNode, facts: BoardFacts): Finding[] =>
  conditions
    .filter(({ applies }) => applies?.({ facts, node }) ?? true)
    .map(({ name, found, expected, holds, mend, otherwise }) => {
      const value = found(facts, node);
      const told = (part: string | ((node: InventoryNode) => string)): string =>
        typeof part === "string" ? part : part(node);
      return {
        condition: name,
        level: value !== undefined && holds(value, node) ? "ok" : (otherwise ?? "problem"),
        found: value ?? "nothing",
        expected: told(expected),
        mend: told(mend),
      };
    });
