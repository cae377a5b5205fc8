import { type Joules, joules } from "@offloadlab/units";

/** Energy of one task. Every joule says where it came from. */
export interface EnergyReading {
  readonly joules: Joules;
  /** Half the width of the 95 % interval. */
  readonly uncertainty: Joules;
  /** Share of the task's window that was observed, [0, 1]. */
  readonly coverage: number;
  /**
   * `emulated`: the model's, on emulated hardware. `ina219`, `ina226`, `ina3221`, `power-supply`: measured by it.
   * `modelled`: the model's, on a board whose meter gave nothing. `a+b`: of two nodes.
   */
  readonly method: string;
}

/** A reading that follows the model: exact, over the whole window, and labelled. */
export const emulatedReading = (energy: Joules): EnergyReading => ({
  joules: energy,
  uncertainty: joules(0),
  coverage: 1,
  method: "emulated",
});

/** What the model says of a task whose energy nobody measured: it may be nothing or twice as much. */
export const modelledReading = (energy: Joules): EnergyReading => ({
  joules: energy,
  uncertainty: energy,
  coverage: 0,
  method: "modelled",
});

/** A reading, and what the model says of the same task's part on another node: that may be nothing or twice as much. */
export const withModelledPart = (reading: EnergyReading, energy: Joules): EnergyReading => {
  const sum = joules(reading.joules + energy);
  if (reading.method === "emulated") return emulatedReading(sum);
  return {
    joules: sum,
    uncertainty: joules(Math.hypot(reading.uncertainty, energy)),
    coverage: reading.coverage,
    method: reading.method === "modelled" ? "modelled" : `${reading.method}+modelled`,
  };
};
