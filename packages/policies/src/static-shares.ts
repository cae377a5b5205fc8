import { type Observation, place, placement, shareTolerance } from "@offloadlab/model";
import type { Policy } from "./policy.ts";

/**
 * A policy that offloads with the same shares always: w = β = 1/n, on a radio that is idle.
 *
 * A device has one task in flight at most, so 1/n is free for every idle radio unless another policy gave shares before
 * this one took over; then the tasks that do not fit wait.
 *
 * @param deviceCount n, at least 1
 * @param staysLocal whether a device with a waiting task executes it itself
 */
export const staticShares = (
  name: string,
  deviceCount: number,
  staysLocal: (observation: Observation, index: number) => boolean,
): Policy => {
  const share = 1 / deviceCount;
  return {
    name,
    decide(observation, action) {
      let inUse = Math.max(observation.bandwidthInUse, observation.computeInUse);
      for (let index = 0; index < observation.deviceCount; index++) {
        if (observation.waiting[index] === 0) place(action, index, placement.wait, 0, 0);
        else if (staysLocal(observation, index)) place(action, index, placement.local, 0, 0);
        else if (observation.radioBusy[index] === 0 && inUse + share <= 1 + shareTolerance) {
          place(action, index, placement.edge, share, share);
          inUse += share;
        } else place(action, index, placement.wait, 0, 0);
      }
    },
  };
};
