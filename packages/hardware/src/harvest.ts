import { type Joules, joules, type Seconds, seconds } from "@offloadlab/units";
import type { PowerRecorder } from "./energy/power-recorder.ts";

/** What a device harvested in a sub-slot. */
export interface HarvestReading {
  readonly energy: Joules;
  /** Share of the sub-slot that was observed, [0, 1]. */
  readonly coverage: number;
}

/** Where the wireless power comes from: e_t of Eq. (8). */
export interface Harvest {
  /** `scaled` is measured and multiplied, for receivers that give less than a board needs. */
  readonly source: "emulated" | "measured" | "scaled";
  /** What came in since the last call, or since it was made. */
  next(): HarvestReading;
}

/** The same amount in every sub-slot, as the paper's settings have it. */
export const emulatedHarvest = (perSubSlot: Joules): Harvest => ({
  source: "emulated",
  next: () => ({ energy: perSubSlot, coverage: 1 }),
});

/** A meter that has said nothing for so long does not cover the time, s. */
const longestSilence = 1;

/**
 * A meter at the receiver's output.
 *
 * What was not seen was not harvested: in a gap nothing comes in, and the coverage says so.
 */
export const measuredHarvest = (
  recorder: PowerRecorder,
  source: Exclude<Harvest["source"], "emulated">,
  factor: number,
): Harvest => {
  let last: Seconds = recorder.clock.now();
  return {
    source,
    next: () => {
      // Up to the last sample; what follows is of the next call.
      const end = seconds(Math.max(recorder.trace.end, last));
      const integral = recorder.trace.integrate(last, end);
      const silent = recorder.clock.now() - end > longestSilence;
      last = end;
      if (integral === undefined || integral.duration === 0) return { energy: joules(0), coverage: 0 };
      const coverage = silent ? 0 : integral.covered / integral.duration;
      return { energy: joules(factor * integral.observed), coverage };
    },
  };
};
