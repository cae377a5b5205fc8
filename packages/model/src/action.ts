import type { Count } from "@offloadlab/units";
import { shareLeft } from "./constraints.ts";
import type { Observation } from "./observation.ts";

/**
 * Where a head-of-line task goes in this sub-slot: α = 0 is `local`, α = 1 is `edge`. `wait` keeps it in the queue until
 * the next sub-slot. A `local` task whose processor is busy, and an `edge` task whose radio is busy, wait too.
 */
export const placement = { local: 0, edge: 1, wait: 2 } as const;
export type Placement = (typeof placement)[keyof typeof placement];

/**
 * What a policy decides for a community in one sub-slot.
 *
 * Eq. (18): a_i(t) = {α_i(t), w_i(t), β_i(t)}
 *
 * Shares are of the whole of B and F, and 0 where the placement is not `edge`. Those of an action plus those that tasks
 * in flight hold are at most 1 (C4, C5).
 */
export interface Action {
  /** [n] one of `placement` */
  readonly placement: Uint8Array;
  /** [n] w_{i,j}, [0, 1] */
  readonly bandwidthShare: Float64Array;
  /** [n] β_{i,j}, [0, 1] */
  readonly computeShare: Float64Array;
}

/** An action that leaves every task where it is. */
export const emptyAction = (deviceCount: Count): Action => ({
  placement: new Uint8Array(deviceCount).fill(placement.wait),
  bandwidthShare: new Float64Array(deviceCount),
  computeShare: new Float64Array(deviceCount),
});

/** Fills one device's entries of an action. */
export const place = (
  action: Action,
  device: number,
  where: Placement,
  bandwidthShare: number,
  computeShare: number,
): void => {
  action.placement[device] = where;
  action.bandwidthShare[device] = bandwidthShare;
  action.computeShare[device] = computeShare;
};

/**
 * Turns the output of a tanh layer into the decision that it stands for, §IV-A.
 *
 * α = 1 where its entry is above 0. Of w and β, (x + 1) / 2 is what a task asks for; the tasks that are offloaded now
 * split what tasks in flight leave, each in proportion to what it asks. A task that would get nothing waits.
 *
 * Differs: shares are of what is left, so that a task in flight keeps what it was given; the text divides all of B and F
 * anew in each sub-slot.
 *
 * @param raw [3, n], row-major, [-1, 1]: α, w, β
 * @param action filled
 */
export const decodeAction = (raw: ArrayLike<number>, observation: Observation, action: Action): void => {
  const n = observation.deviceCount;
  if (raw.length !== 3 * n) throw new RangeError(`Expected ${3 * n} entries for ${n} devices, got ${raw.length}`);

  let bandwidthAsked = 0;
  let computeAsked = 0;
  for (let device = 0; device < n; device++) {
    if (!sharesNow(raw, observation, device)) continue;
    bandwidthAsked += asked(raw, n + device);
    computeAsked += asked(raw, 2 * n + device);
  }
  const bandwidthUnit = bandwidthAsked > 0 ? shareLeft(observation.bandwidthInUse) / bandwidthAsked : 0;
  const computeUnit = computeAsked > 0 ? shareLeft(observation.computeInUse) / computeAsked : 0;

  for (let device = 0; device < n; device++) {
    const bandwidthShare = asked(raw, n + device) * bandwidthUnit;
    const computeShare = asked(raw, 2 * n + device) * computeUnit;
    if (observation.waiting[device] === 1 && !isOffloaded(raw, device)) place(action, device, placement.local, 0, 0);
    else if (sharesNow(raw, observation, device) && bandwidthShare > 0 && computeShare > 0) {
      place(action, device, placement.edge, bandwidthShare, computeShare);
    } else place(action, device, placement.wait, 0, 0);
  }
};

/** α of a task. */
const isOffloaded = (raw: ArrayLike<number>, device: number): boolean => (raw[device] as number) > 0;

/** Whether a device has a task that goes to the edge in this sub-slot. */
const sharesNow = (raw: ArrayLike<number>, observation: Observation, device: number): boolean =>
  observation.waiting[device] === 1 && observation.radioBusy[device] === 0 && isOffloaded(raw, device);

/** What a task asks for, [0, 1]. */
const asked = (raw: ArrayLike<number>, entry: number): number => ((raw[entry] as number) + 1) / 2;
