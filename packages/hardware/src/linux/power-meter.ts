import { Failure } from "@offloadlab/protocol";
import { type Seconds, seconds, watts } from "@offloadlab/units";
import type { PowerSample } from "../energy/power-trace.ts";
import { ifAbsent, type SystemTree } from "./system-tree.ts";

/** What measures power on a node. */
export type MeterKind = "ina219" | "ina226" | "ina3221" | "power-supply";

/** How a node is wired. */
export interface MeterWiring {
  readonly kind: MeterKind;
  /** `1-0040`, bus and address of the chip; for `power-supply` the name of the supply. */
  readonly address: string;
  /** Of an INA3221: `VDD_IN`. */
  readonly rail?: string | undefined;
  /** Of an INA219 or INA226, as soldered; the driver must have the same. */
  readonly shuntOhms?: number | undefined;
  /** Half the width of the 95 % interval of the meter's gain, as a part of the reading: of shunt and chip together. */
  readonly gainError: number;
}

/** The power that flows through one point of a node. */
export interface PowerMeter {
  readonly kind: MeterKind;
  readonly gainError: number;
  /** @throws Failure `sensor/absent`, `sensor/unreadable` or `sensor/implausible`; the next call looks for the chip again */
  read(): Promise<PowerSample>;
}

export const monotonic = (): Seconds => seconds(performance.now() / 1000);

/** Steps of one conversion, and how long it takes at the most (datasheets; drivers show currents in mA). */
interface Chip {
  /** As the driver calls itself. */
  readonly names: readonly string[];
  readonly voltageStep: number;
  readonly currentStep: number;
  readonly conversion: number;
  /** The largest bus voltage that the chip measures. */
  readonly largestVolts: number;
}

const chips: Readonly<Record<"ina219" | "ina226" | "ina3221", Chip>> = {
  // 12 bits, averaged over up to 128 samples.
  ina219: { names: ["ina219", "ina220"], voltageStep: 4e-3, currentStep: 1e-3, conversion: 0.068, largestVolts: 32 },
  ina226: {
    names: ["ina226", "ina230", "ina231"],
    voltageStep: 1.25e-3,
    currentStep: 1e-3,
    conversion: 0.0022,
    largestVolts: 40.96,
  },
  // 40 µV over 10 mΩ; in its default mode a read converts once: two times 1.1 ms.
  ina3221: { names: ["ina3221"], voltageStep: 8e-3, currentStep: 4e-3, conversion: 0.0022, largestVolts: 32 },
};

/** A load draws current, it does not give any: beyond the chip's offset the sense wires are swapped. */
const offsetSteps = 5;

/** Volts and amperes from one moment. */
interface Conversion {
  readonly volts: number;
  readonly amperes: number;
  /** Over which the chip averages. */
  readonly duration: number;
  readonly voltageStep: number;
  readonly currentStep: number;
}

/**
 * A meter as it is wired. The chip is looked for at the first reading, by its address and never by the number that the
 * kernel gives it, and again after a failure.
 *
 * Power is volts times amperes: the chips' own power registers have steps of 20 mW and more.
 */
export const openMeter = (tree: SystemTree, wiring: MeterWiring, now: () => Seconds = monotonic): PowerMeter => {
  let chip: (() => Promise<Conversion>) | undefined;
  return {
    kind: wiring.kind,
    gainError: wiring.gainError,
    read: async () => {
      try {
        chip ??= await find(tree, wiring);
        const before = now();
        const conversion = await chip();
        return sampleOf(conversion, (before + now()) / 2, wiring);
      } catch (error) {
        chip = undefined;
        throw error;
      }
    },
  };
};

const find = (tree: SystemTree, wiring: MeterWiring): Promise<() => Promise<Conversion>> => {
  switch (wiring.kind) {
    case "ina219":
    case "ina226":
      return findShuntMonitor(tree, wiring, chips[wiring.kind]);
    case "ina3221":
      return findRail(tree, wiring);
    case "power-supply":
      return findSupply(tree, wiring);
  }
};

const sampleOf = (conversion: Conversion, read: number, wiring: MeterWiring): PowerSample => {
  const { volts, amperes, duration, voltageStep, currentStep } = conversion;
  const where = `${wiring.kind} ${wiring.address}`;
  const most = wiring.kind === "power-supply" ? 60 : chips[wiring.kind].largestVolts;
  if (volts < 0 || volts > most)
    throw new Failure("sensor/implausible", `${where}: expected 0 to ${most} V, got ${volts} V`);
  if (amperes < -offsetSteps * currentStep) {
    const advice = "the sense wires are swapped, or the battery charges through this meter";
    throw new Failure(
      "sensor/implausible",
      `${where}: expected a current that flows to the load, got ${amperes} A; ${advice}`,
    );
  }
  return {
    time: seconds(read),
    power: watts(volts * amperes),
    resolution: watts((voltageStep * Math.abs(amperes) + currentStep * volts) / 2),
    conversion: seconds(duration),
  };
};

const absent = (wiring: MeterWiring, places: string, advice: string): Failure =>
  new Failure("sensor/absent", `expected ${wiring.kind} ${wiring.address} in ${places}, found none; ${advice}`);

/** INA219 or INA226 through hwmon: `in1_input` mV, `curr1_input` mA, `shunt_resistor` µΩ, `update_interval` ms. */
const findShuntMonitor = async (
  tree: SystemTree,
  wiring: MeterWiring,
  chip: Chip,
): Promise<() => Promise<Conversion>> => {
  for (const name of await tree.names("sys/class/hwmon")) {
    const folder = `sys/class/hwmon/${name}`;
    if ((await tree.linkName(`${folder}/device`)) !== wiring.address) continue;
    const driver = await tree.text(`${folder}/name`);
    if (!chip.names.includes(driver))
      throw new Failure("sensor/absent", `${tree.path(folder)}: expected ${chip.names.join(" or ")}, got ${driver}`);
    await checkShunt(tree, folder, wiring);
    // Only the 226 family averages for as long as it is told.
    const duration =
      wiring.kind === "ina226" ? (await tree.integer(`${folder}/update_interval`)) / 1000 : chip.conversion;
    return async () => {
      const values = await millisOf(tree, `${folder}/in1_input`, `${folder}/curr1_input`);
      // After a re-bind the number may be another chip's.
      const address = await tree.linkName(`${folder}/device`);
      if (address !== wiring.address)
        throw new Failure(
          "sensor/absent",
          `${tree.path(folder)}: expected ${wiring.kind} ${wiring.address}, got ${address ?? "nothing"}; the driver was bound again`,
        );
      return { ...chip, ...values, duration };
    };
  }
  throw absent(wiring, tree.path("sys/class/hwmon"), "load its overlay and the module ina2xx");
};

/** A voltage in mV and a current in mA, read at the same time. */
const millisOf = async (tree: SystemTree, voltage: string, current: string) => {
  const [volts, amperes] = await Promise.all([tree.integer(voltage), tree.integer(current)]);
  return { volts: volts / 1000, amperes: amperes / 1000 };
};

const checkShunt = async (tree: SystemTree, folder: string, { shuntOhms }: MeterWiring): Promise<void> => {
  const file = `${folder}/shunt_resistor`;
  const expected = Math.round((shuntOhms ?? 0) * 1e6);
  const got = await tree.integer(file);
  if (shuntOhms !== undefined && got !== expected)
    throw new Failure(
      "sensor/implausible",
      `${tree.path(file)}: expected ${expected} µΩ, got ${got}: every current would be ${(got / expected).toPrecision(2)} times too small; set shunt in the overlay, or: echo ${expected} > ${tree.path(file)}`,
    );
};

/** Of an INA3221 that runs continuously under NVIDIA's driver: 64 samples of three channels, s. */
const continuousConversion = 0.422;

/** INA3221: NVIDIA's IIO driver on JetPack 4, hwmon from JetPack 5 on. */
const findRail = async (tree: SystemTree, wiring: MeterWiring): Promise<() => Promise<Conversion>> => {
  const device = `sys/bus/i2c/devices/${wiring.address}`;
  const chip = chips.ina3221;
  for (const channel of [0, 1, 2]) {
    for (const name of (await tree.names(device)).filter((each) => each.startsWith("iio:device"))) {
      if ((await tree.text(`${device}/${name}/rail_name_${channel}`)) !== wiring.rail) continue;
      // In its other mode each read converts once.
      const mode = await tree.integer(`${device}/${name}/running_mode`).catch(ifAbsent);
      const duration = mode === 1 ? continuousConversion : chip.conversion;
      return async () => ({ ...chip, ...(await pairIn(tree, `${device}/${name}/ui_input_${channel}`)), duration });
    }
    for (const name of await tree.names(`${device}/hwmon`)) {
      const folder = `${device}/hwmon/${name}`;
      // A channel that is not wired has no label.
      if ((await tree.text(`${folder}/in${channel + 1}_label`).catch(ifAbsent)) !== wiring.rail) continue;
      const [voltage, current] = [`${folder}/in${channel + 1}_input`, `${folder}/curr${channel + 1}_input`];
      return async () => ({ ...chip, ...(await millisOf(tree, voltage, current)), duration: chip.conversion });
    }
  }
  throw absent(wiring, `the rails of ${tree.path(device)}`, `none is ${wiring.rail}; a TX2 has VDD_IN at 0-0041`);
};

/** `ui_input_i` has both values of one conversion: "19080 524", mV and mA. */
const pairIn = async (tree: SystemTree, file: string): Promise<{ volts: number; amperes: number }> => {
  const text = await tree.text(file);
  const [, millivolts, milliamperes] = /^(-?\d+) (-?\d+)$/.exec(text) ?? [];
  if (millivolts === undefined || milliamperes === undefined)
    throw new Failure("sensor/unreadable", `${tree.path(file)}: expected "mV mA", got ${JSON.stringify(text)}`);
  return { volts: Number(millivolts) / 1000, amperes: Number(milliamperes) / 1000 };
};

/** A battery's gauge: `voltage_now` µV, `current_now` µA, whose sign is the driver's own. */
const findSupply = async (tree: SystemTree, wiring: MeterWiring): Promise<() => Promise<Conversion>> => {
  const folder = `sys/class/power_supply/${wiring.address}`;
  const names = await tree.names(folder);
  if (names.length === 0) throw absent(wiring, tree.path("sys/class/power_supply"), "load the gauge's overlay");
  if (!names.includes("current_now")) {
    const advice = "this gauge measures no current; energy needs an INA219 or INA226";
    throw new Failure("sensor/absent", `${tree.path(folder)}/current_now: expected this attribute; ${advice}`);
  }
  return async () => {
    const status = await tree.text(`${folder}/status`);
    // In every other state the current is not the load's: with a charger on, the load is fed past the gauge.
    if (status !== "Discharging")
      throw new Failure(
        "sensor/implausible",
        `${tree.path(folder)}/status: expected Discharging, a battery that feeds the load, got ${status}`,
      );
    return {
      volts: (await tree.integer(`${folder}/voltage_now`)) / 1e6,
      amperes: Math.abs((await tree.integer(`${folder}/current_now`)) / 1e6),
      // Gauges say neither how long they average nor their steps: a second and 1 mA are common.
      duration: 1,
      voltageStep: 1.25e-3,
      currentStep: 1e-3,
    };
  };
};
