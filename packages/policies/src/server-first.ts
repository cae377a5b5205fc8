import { communityAt, type Device, type Observation, place, placement, shareLeft } from "@offloadlab/model";
import { split } from "./fair.ts";
import type { PolicyMaker } from "./policy.ts";
import { succeedsLocally } from "./prospect.ts";

/** How badly a task needs the server: not at all, better than its processor, or as the only way. */
const urgencies = { none: 0, better: 1, only: 2 } as const;

/**
 * Server first: the server gets as many tasks as it can return within the sub-slot, and what remains stays local.
 *
 * Those that cannot stay local are asked first, then the oldest, then those with the longest queue. One is sent if all
 * that are sent meet C2 and C3 and return before the next sub-slot; if it is the only one, it may return later. They split
 * what tasks in flight leave as Fair's do. Of the rest, those that succeed on an idle processor stay local, and the others
 * wait.
 *
 * Fair sends only tasks that cannot stay local, and so leaves the server idle while slower processors work.
 */
export const serverFirst: PolicyMaker = (settings, communityIndex, devices) => {
  const { serverClock, serverPower } = communityAt(settings, communityIndex);
  const { deadline } = settings;
  const subSlot = settings.timeSlot / settings.subSlotsPerTimeSlot;
  const urgency = new Uint8Array(devices.length);

  return {
    name: "server-first",
    decide(observation, action) {
      const { waiting, age, dataSize, work, charge, processorBusy, radioBusy } = observation;
      const bandwidthLeft = shareLeft(observation.bandwidthInUse);
      const computeLeft = shareLeft(observation.computeInUse);
      const isOpen = bandwidthLeft > 0 && computeLeft > 0;

      for (let index = 0; index < observation.deviceCount; index++) {
        const staysLocal =
          waiting[index] === 1 &&
          processorBusy[index] === 0 &&
          succeedsLocally(observation, index, devices[index] as Device, deadline);
        place(action, index, staysLocal ? placement.local : placement.wait, 0, 0);
        const isCandidate = waiting[index] === 1 && radioBusy[index] === 0 && isOpen;
        if (isCandidate) urgency[index] = staysLocal ? urgencies.better : urgencies.only;
        else urgency[index] = urgencies.none;
      }

      // Of those that are sent: the sums, and what bounds the time and the energy of each of them.
      let totalData = 0;
      let totalWork = 0;
      let slowestRate = Number.POSITIVE_INFINITY;
      let highestPower = 0;
      let leastTime = Number.POSITIVE_INFINITY;
      let leastCharge = Number.POSITIVE_INFINITY;
      for (;;) {
        const index = mostUrgent(observation, urgency);
        if (index < 0) break;
        urgency[index] = urgencies.none;
        const device = devices[index] as Device;
        const allData = totalData + (dataSize[index] as number);
        const allWork = totalWork + (work[index] as number);
        const rate = Math.min(slowestRate, device.fullRate);
        const power = Math.max(highestPower, device.transmitPower);
        const time = Math.min(leastTime, deadline - (age[index] as number));
        const energy = Math.min(leastCharge, charge[index] as number);

        const upload = allData / (bandwidthLeft * rate);
        const execution = allWork / (computeLeft * serverClock);
        const isAlone = totalWork === 0;
        if (upload + execution > (isAlone ? time : Math.min(time, subSlot))) continue;
        if (power * upload + serverPower * execution > energy) continue;
        action.placement[index] = placement.edge;
        totalData = allData;
        totalWork = allWork;
        slowestRate = rate;
        highestPower = power;
        leastTime = time;
        leastCharge = energy;
      }
      if (totalWork > 0) split(observation, action, bandwidthLeft, computeLeft);
    },
  };
};

/** The task to ask next, the first of equals; -1 when all have been asked. */
const mostUrgent = ({ deviceCount, age, queueLength }: Observation, urgency: Uint8Array): number => {
  let found = -1;
  for (let index = 0; index < deviceCount; index++) {
    if (urgency[index] === urgencies.none) continue;
    const lead =
      found < 0
        ? 1
        : (urgency[index] as number) - (urgency[found] as number) ||
          (age[index] as number) - (age[found] as number) ||
          (queueLength[index] as number) - (queueLength[found] as number);
    if (lead > 0) found = index;
  }
  return found;
};
