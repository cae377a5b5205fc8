import { type Settings, settingsFromFile, settingsToFile } from "@offloadlab/model";
import { type Latencies, noLatencies } from "@offloadlab/simulation";
import { seconds } from "@offloadlab/units";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import type { Calibration, Fit } from "./calibration.ts";
import { alignedLines } from "./text-columns.ts";

const amount = Type.Number({ minimum: 0 });
const CalibrationFile = Type.Object(
  {
    /** The run that it was fitted to. */
    run: Type.Optional(Type.String()),
    settings: Type.Unknown(),
    latencies: Type.Optional(
      Type.Object(
        { start_seconds: amount, local_seconds: amount, edge_seconds: amount },
        { additionalProperties: false },
      ),
    ),
    /** What was fitted, and how well: for people, nothing depends on it. */
    fits: Type.Optional(Type.Unknown()),
  },
  { additionalProperties: false },
);

/** A world to train in, with what tasks take beyond its theory. */
export interface MeasuredWorld {
  readonly settings: Settings;
  readonly latencies: Latencies;
}

/** A calibration as JSON that `offload train --settings` reads. @param run its id */
export const calibrationText = ({ settings, latencies, fits }: Calibration, run: string): string => {
  const { start, local, edge } = latencies;
  const file = {
    run,
    settings: settingsToFile(settings),
    latencies: { start_seconds: start, local_seconds: local, edge_seconds: edge },
    fits: fits.map(({ community, what, ratio, halfWidth, deviation, unit, n }) => ({
      ...{ community, what, measured_over_theory: ratio, half_width_95: halfWidth },
      [unit === "s" ? "deviation_seconds" : "deviation_joules"]: deviation,
      tasks: n,
    })),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
};

/**
 * Reads what `calibrationText` wrote, or the settings of an archive, `settings.json`.
 *
 * @throws SettingsError or SyntaxError when it is neither
 */
export const readMeasuredWorld = (text: string): MeasuredWorld => {
  const value: unknown = JSON.parse(text);
  if (!Compile(CalibrationFile).Check(value)) return { settings: settingsFromFile(value), latencies: noLatencies };
  const { settings, latencies } = value as Static<typeof CalibrationFile>;
  return {
    settings: settingsFromFile(settings),
    latencies:
      latencies === undefined
        ? noLatencies
        : {
            start: seconds(latencies.start_seconds),
            local: seconds(latencies.local_seconds),
            edge: seconds(latencies.edge_seconds),
          },
  };
};

/** What was fitted, and how well, as a table. */
export const calibrationTable = ({ fits, latencies }: Calibration): string => {
  const { start, local, edge } = latencies;
  const milliseconds = (value: number): string => `${(1000 * value).toFixed(1)} ms`;
  return [
    ...alignedLines(
      [
        ["community", "fitted", "measured / theory", "± 95 %", "deviation", "tasks"],
        ...fits.map((fit) => [
          fit.community,
          fit.what,
          fit.ratio.toFixed(4),
          fit.halfWidth.toFixed(4),
          deviationOf(fit),
          String(fit.n),
        ]),
      ],
      2,
    ),
    "",
    `beyond the theory: ${milliseconds(start)} to a task's start, ${milliseconds(local)} of a local execution, ${milliseconds(edge)} of an offloaded task`,
    "times and energies over what the settings said; the deviation of uplink rates is the channel's noise, which the simulator has not",
  ].join("\n");
};

const deviationOf = ({ deviation, unit }: Fit): string =>
  unit === "s" ? `${(1000 * deviation).toFixed(1)} ms` : `${deviation.toFixed(3)} J`;
