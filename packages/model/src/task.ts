import type { Bits, Count, Cycles, Seconds } from "@offloadlab/units";

/** A task as its end device generates it: Task_{i,j}(h) = (D, C, T_d), §III. The deadline is the settings'. */
export interface Task {
  /** Unique in a trial: `<device id>-<number from 0 in order of arrival>`, e.g. `ed-1-2-17`. */
  readonly id: string;
  /** When it is generated, from the start of the epoch. */
  readonly arrival: Seconds;
  /** D_{i,j}(h) */
  readonly dataSize: Bits;
  /** C_{i,j}(h) */
  readonly work: Cycles;
  /** Which image of the device's set it asks to classify. */
  readonly image: Count;
}

/**
 * How a task ends; every task ends in exactly one of these.
 *
 * - `completed-local`, `completed-edge`: C2 and C3 hold.
 * - `late`: executed to its end, but after the deadline (C2).
 * - `drained`: the battery could not pay for it (C3); the battery is at 0.
 * - `expired`: older than the deadline before it was started; costs no energy.
 * - `lost`: its device or server vanished with it.
 */
export const outcomes = ["completed-local", "completed-edge", "late", "drained", "expired", "lost"] as const;
export type Outcome = (typeof outcomes)[number];

/** True when the task counts as a success in Eq. (19). */
export const isSuccess = (outcome: Outcome): boolean => outcome === "completed-local" || outcome === "completed-edge";
