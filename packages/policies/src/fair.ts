import {
  type Action,
  communityAt,
  type Device,
  type Observation,
  place,
  placement,
  type Settings,
  shareLeft,
} from "@offloadlab/model";
import type { Policy } from "./policy.ts";
import { succeedsAtEdge, succeedsLocally } from "./prospect.ts";

/**
 * How many tasks a sub-slot can take to the edge and back: the largest k ≥ 1 for which k mean uploads and executions,
 * each with the whole of B and F, end within it.
 *
 * k tasks that split B and F in proportion to D and C take as long as the k one after the other. Admitted so, they have
 * returned what they hold before the next sub-slot begins, and it again has all of B and F to give. With more, the
 * shares get smaller and the server's energy, which a task pays for as long as it executes, grows.
 */
export const admittedPerSubSlot = (settings: Settings, communityIndex: number, devices: readonly Device[]): number => {
  const { workload, serverClock } = communityAt(settings, communityIndex);
  const meanData = (workload.dataSize.low + workload.dataSize.high) / 2;
  const meanWork = (workload.work.low + workload.work.high) / 2;
  const meanRate = devices.reduce((sum, device) => sum + device.fullRate, 0) / devices.length;
  const turnaround = meanData / meanRate + meanWork / serverClock;
  const subSlot = settings.timeSlot / settings.subSlotsPerTimeSlot;
  return Math.max(1, Math.floor(subSlot / turnaround));
};

/**
 * Fair: Greedy's rule for staying local, and shares for those that really share.
 *
 * Of the tasks that do not stay local and whose radio is idle, the oldest are admitted, at most `admitted` in a sub-slot,
 * and only while every one of them would meet C2 and C3 with what it gets. They split what tasks in flight leave: the
 * bandwidth in proportion to D, the server in proportion to C. All others wait, those too that can succeed nowhere: they
 * expire, which costs no energy.
 *
 * @param admitted 1 gives each task all that is left, n admits all who ask
 */
export const fair = (
  settings: Settings,
  communityIndex: number,
  devices: readonly Device[],
  admitted: number = admittedPerSubSlot(settings, communityIndex, devices),
): Policy => {
  const community = communityAt(settings, communityIndex);
  const { deadline } = settings;
  const candidate = new Uint8Array(devices.length);

  /** Whether every task that the action sends to the edge meets C2 and C3 with its shares. */
  const allSucceed = (observation: Observation, action: Action): boolean => {
    for (let index = 0; index < observation.deviceCount; index++) {
      if (action.placement[index] !== placement.edge) continue;
      const device = devices[index] as Device;
      const bandwidthShare = action.bandwidthShare[index] as number;
      const computeShare = action.computeShare[index] as number;
      if (!succeedsAtEdge(observation, index, device, deadline, community, bandwidthShare, computeShare)) return false;
    }
    return true;
  };

  return {
    name: "fair",
    decide(observation, action) {
      const bandwidthLeft = shareLeft(observation.bandwidthInUse);
      const computeLeft = shareLeft(observation.computeInUse);

      for (let index = 0; index < observation.deviceCount; index++) {
        const waiting = observation.waiting[index] === 1;
        const staysLocal =
          waiting &&
          observation.processorBusy[index] === 0 &&
          succeedsLocally(observation, index, devices[index] as Device, deadline);
        place(action, index, staysLocal ? placement.local : placement.wait, 0, 0);
        candidate[index] = waiting && !staysLocal && observation.radioBusy[index] === 0 ? 1 : 0;
      }

      for (let room = admitted; room > 0; ) {
        const index = oldest(observation, candidate);
        if (index < 0) break;
        candidate[index] = 0;
        action.placement[index] = placement.edge;
        split(observation, action, bandwidthLeft, computeLeft);
        if (allSucceed(observation, action)) room--;
        else {
          place(action, index, placement.wait, 0, 0);
          split(observation, action, bandwidthLeft, computeLeft);
        }
      }
    },
  };
};

/** The candidate that waits longest, the first of equals; -1 without candidates. */
const oldest = (observation: Observation, candidate: Uint8Array): number => {
  let found = -1;
  for (let index = 0; index < observation.deviceCount; index++) {
    if (candidate[index] === 0) continue;
    if (found < 0 || (observation.age[index] as number) > (observation.age[found] as number)) found = index;
  }
  return found;
};

/** Splits what is left among the tasks that the action sends to the edge, in proportion to D and C. */
export const split = (observation: Observation, action: Action, bandwidthLeft: number, computeLeft: number): void => {
  let data = 0;
  let work = 0;
  for (let index = 0; index < observation.deviceCount; index++) {
    if (action.placement[index] !== placement.edge) continue;
    data += observation.dataSize[index] as number;
    work += observation.work[index] as number;
  }
  for (let index = 0; index < observation.deviceCount; index++) {
    if (action.placement[index] !== placement.edge) continue;
    action.bandwidthShare[index] = bandwidthLeft * ((observation.dataSize[index] as number) / data);
    action.computeShare[index] = computeLeft * ((observation.work[index] as number) / work);
  }
};
