import { Failure } from "@offloadlab/protocol";
import { type Static, Type } from "typebox";
import type { MeterWiring } from "./power-meter.ts";

const text = Type.String({ minLength: 1 });
const closed = { additionalProperties: false };

const Meter = Type.Object(
  {
    kind: Type.Union([
      Type.Literal("ina219"),
      Type.Literal("ina226"),
      Type.Literal("ina3221"),
      Type.Literal("power-supply"),
    ]),
    /** `1-0040`, bus and address; of a battery gauge its name in /sys/class/power_supply. */
    address: text,
    /** Of an INA3221: `VDD_IN` is the whole module of a TX2. */
    rail: Type.Optional(text),
    /** As soldered; the driver's own value must be the same. */
    shunt_ohms: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    /** Half the width of the 95 % interval of its gain: 0.015 for an INA226 with a 1 % shunt that nobody calibrated. */
    gain_error_ratio: Type.Number({ minimum: 0, maximum: 0.5 }),
  },
  closed,
);

/** The part of a daemon's configuration that says how its board is wired. */
export const BoardConfig = Type.Object(
  {
    power_meter: Meter,
    /** Of the meters; an INA226 averages best over as long. */
    sample_period_seconds: Type.Number({ minimum: 0.005, maximum: 1 }),
    /** Where an end device's e_t comes from; an edge server has none. */
    harvest: Type.Optional(
      Type.Union([
        Type.Object({ source: Type.Literal("emulated") }, closed),
        Type.Object({ source: Type.Literal("measured"), power_meter: Meter }, closed),
        /** A receiver of milliwatts feeds the battery as if it gave watts: the factor is in the archive. */
        Type.Object(
          { source: Type.Literal("scaled"), factor: Type.Number({ exclusiveMinimum: 0 }), power_meter: Meter },
          closed,
        ),
      ]),
    ),
    /** Of the uplink, `wlan0`; absent on a node with a cable. */
    wifi_interface: Type.Optional(text),
    /** Where /sys and /proc are; `/` unless this is a test. */
    system_root: Type.Optional(text),
  },
  closed,
);
export type BoardConfig = Static<typeof BoardConfig>;

/** Keys of a daemon's configuration that choose its hardware; emulated, and inference on a thread, when absent. */
export const hardwareKeys = {
  hardware: Type.Optional(Type.Union([Type.Literal("emulated"), Type.Literal("linux")])),
  /** With `hardware: linux`. */
  board: Type.Optional(BoardConfig),
  /** A process survives when ONNX Runtime aborts, as it may on a board. */
  inference: Type.Optional(Type.Union([Type.Literal("thread"), Type.Literal("process")])),
};

/** @throws Failure `config/invalid` for an INA3221 without a rail */
export const wiringOf = (meter: Static<typeof Meter>): MeterWiring => {
  if (meter.kind === "ina3221" && meter.rail === undefined)
    throw new Failure("config/invalid", "board/power_meter: an ina3221 has three rails, expected `rail`, got nothing");
  return {
    kind: meter.kind,
    address: meter.address,
    rail: meter.rail,
    shuntOhms: meter.shunt_ohms,
    gainError: meter.gain_error_ratio,
  };
};
