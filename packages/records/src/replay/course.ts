import type { Outcome } from "@offloadlab/model";

/** How a task went, in the laboratory or in the simulator. Times are from the epoch's start where they are not durations. */
export interface TaskCourse {
  readonly task: string;
  readonly arrivalSeconds: number;
  /** Where it was started; null when it never was. */
  readonly placement: "local" | "edge" | null;
  /** The sub-slot whose decision started it; null when none did. */
  readonly subSlot: number | null;
  readonly outcome: Outcome;
  readonly waitingSeconds: number;
  readonly delaySeconds: number;
  readonly energyJoules: number;
  readonly reward: number;
}

/** A trial in one community. */
export interface CommunityCourse {
  /** [n] the tasks of each device, in order of arrival. */
  readonly tasks: readonly (readonly TaskCourse[])[];
  /** b of a device at the start of a sub-slot; NaN when it is not known. */
  readonly chargeJoules: (device: number, subSlot: number) => number;
  /** Shares of bandwidth and compute in flight at the start of a sub-slot; null when they are not known. */
  readonly inUse: (subSlot: number) => readonly [bandwidth: number, compute: number] | null;
}

/** When a task ended. */
export const endOf = ({ arrivalSeconds, delaySeconds }: TaskCourse): number => arrivalSeconds + delaySeconds;

/** Whether a task was started at the same place in the same sub-slot, or neither here nor there. */
export const startsAlike = (one: TaskCourse, other: TaskCourse): boolean =>
  one.placement === other.placement && one.subSlot === other.subSlot;
