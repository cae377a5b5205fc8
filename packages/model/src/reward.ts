import type { Count, Joules, Ratio, Seconds } from "@offloadlab/units";
import { taskCost } from "./constraints.ts";
import type { Demand } from "./settings.ts";
import { isSuccess, type Outcome } from "./task.ts";

/**
 * Reward of one task, paid to the sub-slot that decided it.
 *
 * Eq. (19): r = −(q_t · T + q_e · E) when it succeeds, −q_p when C2 or C3 does not hold
 *
 * Differs: energy counts over b_max, as in the objective. A task that expires in the queue or is lost pays −q_p too: a
 * policy would else gain by starving it.
 *
 * @param delay T of Eq. (14), ignored when the task failed
 * @param energy E of Eq. (15), ignored when the task failed
 * @param capacity b_max
 */
export const instantReward = (
  demand: Demand,
  outcome: Outcome,
  delay: Seconds,
  energy: Joules,
  capacity: Joules,
): number => (isSuccess(outcome) ? -taskCost(demand, delay, energy, capacity) : -demand.success);

/**
 * Long-term reward of a community over an epoch.
 *
 * Eq. (20): r_i = Σ_j Σ_t γ^t · r_{i,j}(t)
 *
 * Differs: the inner sum runs over sub-slots t from 0, where the printed one runs over h but discounts by t.
 *
 * @param rewards [subSlotCount, deviceCount], row-major; 0 where a device had nothing decided
 * @param discount γ: 0 sees the first sub-slot only, 1 counts all alike
 */
export const discountedReward = (rewards: ArrayLike<number>, deviceCount: Count, discount: Ratio): number => {
  let total = 0;
  let weight = 1;
  for (let start = 0; start < rewards.length; start += deviceCount) {
    for (let device = 0; device < deviceCount; device++) total += weight * (rewards[start + device] ?? 0);
    weight *= discount;
  }
  return total;
};
