import type { Count } from "@offloadlab/units";

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
