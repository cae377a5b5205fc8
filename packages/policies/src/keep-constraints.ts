import { type Action, type Observation, place, placement, shareLeft, shareTolerance } from "@offloadlab/model";

/**
 * Brings a decision within C1, C4 and C5, in place: what cannot be offloaded waits, and shares that exceed what is left
 * are scaled down together, each of B and F.
 *
 * A device without a task, or with its radio busy, waits. Shares are 0 where the placement is not `edge`.
 *
 * @param action placements of `placement`, shares finite and at least 0
 * @returns whether a task was held back or a share was changed
 */
export const keepConstraints = (observation: Observation, action: Action): boolean => {
  let changed = false;
  let bandwidth = 0;
  let compute = 0;
  for (let j = 0; j < observation.deviceCount; j++) {
    const where = observation.waiting[j] === 1 ? action.placement[j] : placement.wait;
    if (where === placement.local) place(action, j, placement.local, 0, 0);
    else if (where !== placement.edge) place(action, j, placement.wait, 0, 0);
    else if (canOffload(observation, action, j)) {
      bandwidth += action.bandwidthShare[j] as number;
      compute += action.computeShare[j] as number;
    } else {
      place(action, j, placement.wait, 0, 0);
      changed = true;
    }
  }
  const bandwidthScale = scaleTo(shareLeft(observation.bandwidthInUse), bandwidth);
  const computeScale = scaleTo(shareLeft(observation.computeInUse), compute);
  if (bandwidthScale === 1 && computeScale === 1) return changed;
  for (let j = 0; j < observation.deviceCount; j++) {
    if (action.placement[j] !== placement.edge) continue;
    const bandwidthShare = (action.bandwidthShare[j] as number) * bandwidthScale;
    const computeShare = (action.computeShare[j] as number) * computeScale;
    if (bandwidthShare > 0 && computeShare > 0) place(action, j, placement.edge, bandwidthShare, computeShare);
    else place(action, j, placement.wait, 0, 0);
  }
  return true;
};

const canOffload = (observation: Observation, action: Action, j: number): boolean =>
  observation.radioBusy[j] === 0 && (action.bandwidthShare[j] as number) > 0 && (action.computeShare[j] as number) > 0;

/** What shares must be multiplied by, so that they come to no more than what is left; rounding is no excess. */
const scaleTo = (left: number, asked: number): number => (asked > left + shareTolerance / 2 ? left / asked : 1);
