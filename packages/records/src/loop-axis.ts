import type { LoopValue, SweepRow } from "./sweep-rows.ts";

/** How a loop variable is shown. */
export interface LoopAxis {
  readonly variable: string;
  /** With the unit of what is shown: `Bandwidth [MHz]`. */
  readonly title: string;
  /** What a value is divided by before it is shown: 1e6 for hertz as MHz; 1 without it. */
  readonly divisor?: number;
  /** `linear` without it. */
  readonly scale?: "linear" | "log";
}

/** The axis of a variable, or its bare name where none is given. */
export const axisOf = (variable: string, axes: readonly LoopAxis[]): LoopAxis =>
  axes.find((axis) => axis.variable === variable) ?? { variable, title: variable };

/** A value as the axis shows it, without the noise that a division leaves in the last digits. */
export const shownValue = ({ divisor = 1 }: LoopAxis, value: LoopValue): LoopValue =>
  typeof value === "number" ? Number((value / divisor).toPrecision(12)) : value;

/** `Bandwidth [MHz]: 5, Devices: 13`. */
export const loopPoint = (variables: SweepRow["variables"], axes: readonly LoopAxis[]): string =>
  Object.entries(variables)
    .map(([variable, value]) => {
      const axis = axisOf(variable, axes);
      return `${axis.title}: ${shownValue(axis, value)}`;
    })
    .join(", ");

/** The loop variables that have more than one value in the rows, each with its values in order of appearance. */
export const varyingVariables = (rows: readonly SweepRow[]): ReadonlyMap<string, readonly LoopValue[]> => {
  const names = Object.keys(rows[0]?.variables ?? {});
  const values = names.map(
    (name) => [name, [...new Set(rows.map(({ variables }) => variables[name] as LoopValue))]] as const,
  );
  return new Map(values.filter(([, distinct]) => distinct.length > 1));
};
