import type {
  Bits,
  BitsPerSecond,
  Capacitance,
  Count,
  Cycles,
  Hertz,
  Joules,
  Meters,
  Seconds,
  Watts,
} from "@offloadlab/units";

/** Uniform between `low` and `high`; equal bounds make a constant. */
export interface Range<Q extends number> {
  readonly low: Q;
  readonly high: Q;
}

/** q_i: what a community's users ask for. */
export interface Demand {
  /** q_{i,t}, per second */
  readonly delay: number;
  /** q_{i,e}, per full battery (energy enters Eq. (19) over b_max) */
  readonly energy: number;
  /** q_{i,p}, per failed task */
  readonly success: number;
}

/**
 * When tasks arrive at the devices of a community.
 *
 * - `poisson`: a Poisson number at the start of each time-slot, the same mean for all.
 * - `c-esp`: each device is a user of C-ESP, as active as the platform's users are, with a Poisson process in time; in the
 *   mean over users as many tasks as with `poisson`.
 * - a trace: each device replays a user; an epoch is a window of the trace, the same one for all devices.
 */
export type Arrivals = "poisson" | "c-esp" | TraceArrivals;

/** Recorded arrivals, time compression applied. */
export interface TraceArrivals {
  /** [n or more] of each device, sorted */
  readonly times: readonly (readonly number[])[];
  /** Length of the record, at least an epoch's. */
  readonly duration: Seconds;
}

/** What tasks the devices of a community generate. */
export interface WorkloadSettings {
  readonly arrivals: Arrivals;
  /** Mean number of tasks per device and time-slot, but for a trace. */
  readonly tasksPerTimeSlot: number;
  /** D_{i,j} */
  readonly dataSize: Range<Bits>;
  /** C_{i,j} */
  readonly work: Range<Cycles>;
}

/** What the end devices of a community are; each draws its own constants from the ranges, once. */
export interface DeviceSettings {
  /** f_{i,j} */
  readonly clock: Range<Hertz>;
  /** k */
  readonly k: Capacitance;
  /** P_{i,j} */
  readonly transmitPower: Range<Watts>;
  /** l_{i,j} */
  readonly distance: Range<Meters>;
  /** b_max, and the charge at the start of an epoch */
  readonly capacity: Joules;
  /** e_t, per sub-slot */
  readonly harvested: Joules;
}

/** R_i: one MEC server and its end devices. */
export interface CommunitySettings {
  readonly name: string;
  /** n */
  readonly deviceCount: Count;
  /** B_i */
  readonly bandwidth: Hertz;
  /**
   * P g / (σ² l) of Eq. (1), linear, of a device in the middle of the distances: only this product is identifiable in the
   * paper, so neither a device's power nor its gain changes it.
   */
  readonly signalToNoise: number;
  /** How fast a signal fades with distance: 1 as Eq. (1) is printed, 2 in free space, up to 4 in buildings. */
  readonly pathLossExponent: number;
  /** F_i */
  readonly serverClock: Hertz;
  /** P_m */
  readonly serverPower: Watts;
  readonly demand: Demand;
  readonly device: DeviceSettings;
  readonly workload: WorkloadSettings;
}

/** How the paper is read where it is open. Boards have physical shares and pay at completion: these bind the simulator. */
export interface Readings {
  /** Whether tasks in flight keep their shares, or each sub-slot has all of B and F to give again, as the text has it. */
  readonly shares: "kept" | "reused";
  /** Whether Eq. (19) is paid in the sub-slot that decides a task, with the outcome it will have, or in which it ends. */
  readonly reward: "decision" | "completion";
  /** What a learner is shown of the state: Eq. (17) alone, or with what success depends on besides. */
  readonly observation: "paper" | "extended";
}

/** Everything that a simulation, a rehearsal and a lab share about an experiment's world. */
export interface Settings {
  readonly name: string;
  /** Length of a time-slot. */
  readonly timeSlot: Seconds;
  /** T: sub-slots in a time-slot */
  readonly subSlotsPerTimeSlot: Count;
  /** H: time-slots in an epoch */
  readonly timeSlotCount: Count;
  /** T_d */
  readonly deadline: Seconds;
  readonly readings: Readings;
  readonly communities: readonly CommunitySettings[];
}

/** The constants of one end device. */
export interface Device {
  /** `ed-<community from 1>-<device from 1>` */
  readonly id: string;
  readonly clock: Hertz;
  readonly k: Capacitance;
  readonly transmitPower: Watts;
  readonly distance: Meters;
  readonly capacity: Joules;
  readonly harvested: Joules;
  /** Rate of Eq. (1) with the whole of B, so a share w of it is w times this. */
  readonly fullRate: BitsPerSecond;
}

/**
 * The community at an index from 0.
 *
 * @throws RangeError when there is none
 */
export const communityAt = (settings: Settings, communityIndex: number): CommunitySettings => {
  const community = settings.communities[communityIndex];
  if (!community) {
    throw new RangeError(
      `Expected a community index below ${settings.communities.length} (settings \`${settings.name}\`), got ${communityIndex}`,
    );
  }
  return community;
};
