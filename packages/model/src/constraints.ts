import { type Joules, type Ratio, ratio, type Seconds } from "@offloadlab/units";
import type { Demand } from "./settings.ts";

/**
 * What one task adds to the objective; the objective is its sum over the tasks of a community and an epoch.
 *
 * Eq. (16): (P1) min Σ_j Σ_h q_t · T + q_e · E, subject to C1 to C5
 *
 * Differs: energy counts over b_max. In joules it would outweigh delay and success by far, and Table III's rewards show
 * that it does not. The sum runs over 20 time-slots (h = 1 to H, §III), where the printed one has 21.
 *
 * @param delay T
 * @param energy E
 * @param capacity b_max
 */
export const taskCost = (demand: Demand, delay: Seconds, energy: Joules, capacity: Joules): number =>
  demand.delay * delay + demand.energy * (energy / capacity);

/** C1: a task is executed on its device or offloaded, nothing between. */
export const isBinaryDecision = (offloaded: number): offloaded is 0 | 1 => offloaded === 0 || offloaded === 1;

/** C2: a task's delay is within T_d. */
export const meetsDeadline = (delay: Seconds, deadline: Seconds): boolean => delay <= deadline;

/**
 * Whether a task that has not been started can no longer meet C2, and so leaves the queue as `expired`.
 *
 * At T_d itself it has: nothing executes in no time. Table III's heuristic rows are met only so, for tasks arrive on
 * sub-slot boundaries and their ages are often exactly T_d.
 */
export const hasExpired = (age: Seconds, deadline: Seconds): boolean => age >= deadline;

/** C3: a task's energy is within the charge of its device. */
export const withinCharge = (energy: Joules, charge: Joules): boolean => energy <= charge;

/** How far shares may miss 1: what rounding can add up to, and far less than any link could enforce. */
export const shareTolerance = 1e-9;

/** What tasks in flight leave of B or F, [0, 1]; 0 when only rounding is left. */
export const shareLeft = (inUse: number): Ratio => {
  const left = Math.min(1 - inUse, 1);
  return ratio(left > shareTolerance ? left : 0);
};

/**
 * C4 and C5: shares, with those that tasks in flight hold, are at most the whole.
 *
 * Differs: the printed sum is 1, which cannot hold in a sub-slot in which nobody offloads.
 *
 * @param shares [n] w or β, 0 where the task is not offloaded
 * @param inUse sum of the shares that tasks in flight hold
 */
export const sharesFit = (shares: ArrayLike<number>, inUse = 0): boolean => {
  let total = inUse;
  for (let device = 0; device < shares.length; device++) {
    const share = shares[device] as number;
    if (!(share >= 0)) return false;
    total += share;
  }
  return total <= 1 + shareTolerance;
};
