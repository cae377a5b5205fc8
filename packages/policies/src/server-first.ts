import { communityAt, type Observation, place, placement, shareLeft } from "@offloadlab/model";
import { split } from "./fair.ts";
import type { PolicyMaker } from "./policy.ts";
import { succeedsLocally } from "./prospect.ts";

/**
 * Server first: the server gets as many tasks as it can return within the sub-slot, and what remains stays local.
 *
 * Those that cannot stay local are asked first, then the oldest, then those with the longest queue behind them. One is
 * sent if all that are sent still return before the next sub-slot and meet C2 and C3; the first need not return so soon.
 * They split what tasks in flight leave as Fair's do. Of the rest, those that succeed on an idle processor stay local, and
 * the others wait.
 *
 * Fair asks the server only for tasks that cannot stay local, and so leaves it idle while slower processors work.
 */
export const serverFirst: PolicyMaker = (settings, communityIndex, devices) => {
  const { serverClock, serverPower } = communityAt(settings, communityIndex);
  const { deadline } = settings;
  const subSlot = settings.timeSlot / settings.subSlotsPerTimeSlot;
  const urgency = new Uint8Array(devices.length);

  return {
    name: "server-first",
    decide(observation, action) {
      const bandwidthLeft = shareLeft(observation.bandwidthInUse);
      const computeLeft = shareLeft(observation.computeInUse);
      const isOpen = bandwidthLeft > 0 && computeLeft > 0;

      for (let index = 0; index < observation.deviceCount; index++) {
        const device = devices[index];
        const waiting = device !== undefined && observation.waiting[index] === 1;
        const canStay =
          waiting && observation.processorBusy[index] === 0 && succeedsLocally(observation, index, device, deadline);
        place(action, index, canStay ? placement.local : placement.wait, 0, 0);
        urgency[index] = waiting && isOpen && observation.radioBusy[index] === 0 ? (canStay ? 1 : 2) : 0;
      }

      // Of those that are sent: all data and work, and what bounds the time and the energy of each of them.
      let data = 0;
      let work = 0;
      let slowestRate = Number.POSITIVE_INFINITY;
      let highestPower = 0;
      let leastTime = Number.POSITIVE_INFINITY;
      let leastCharge = Number.POSITIVE_INFINITY;
      for (;;) {
        const index = mostUrgent(observation, urgency);
        const device = devices[index];
        if (device === undefined) break;
        urgency[index] = 0;
        const allData = data + (observation.dataSize[index] as number);
        const allWork = work + (observation.work[index] as number);
        const rate = Math.min(slowestRate, device.fullRate);
        const power = Math.max(highestPower, device.transmitPower);
        const time = Math.min(leastTime, deadline - (observation.age[index] as number));
        const charge = Math.min(leastCharge, observation.charge[index] as number);
        const upload = allData / (bandwidthLeft * rate);
        const execution = allWork / (computeLeft * serverClock);
        const isSoon = work === 0 || upload + execution <= subSlot;
        if (!isSoon || upload + execution > time || power * upload + serverPower * execution > charge) continue;
        action.placement[index] = placement.edge;
        data = allData;
        work = allWork;
        slowestRate = rate;
        highestPower = power;
        leastTime = time;
        leastCharge = charge;
      }
      if (work > 0) split(observation, action, bandwidthLeft, computeLeft);
    },
  };
};

/** The task to ask next, the first of equals; -1 when all have been asked. */
const mostUrgent = ({ deviceCount, age, queueLength }: Observation, urgency: Uint8Array): number => {
  let found = -1;
  for (let index = 0; index < deviceCount; index++) {
    if (urgency[index] === 0) continue;
    const more =
      found < 0 ||
      (urgency[index] as number) - (urgency[found] as number) ||
      (age[index] as number) - (age[found] as number) ||
      (queueLength[index] as number) - (queueLength[found] as number);
    if (more === true || (more as number) > 0) found = index;
  }
  return found;
};
