import {
  type CommunitySettings,
  type Device,
  edgeDelay,
  edgeEnergy,
  localDelay,
  localEnergy,
  meetsDeadline,
  type Observation,
  sharedRate,
  taskDelay,
  taskEnergy,
  uploadDelay,
  uploadEnergy,
  withinCharge,
} from "@offloadlab/model";
import { bits, cycles, joules, ratio, type Seconds, seconds } from "@offloadlab/units";

const noTime = seconds(0);
const noEnergy = joules(0);

/** Whether a device's head-of-line task, started on it now, would meet C2 and C3. */
export const succeedsLocally = (
  observation: Observation,
  index: number,
  device: Device,
  deadline: Seconds,
): boolean => {
  const work = cycles(observation.work[index] as number);
  const delay = taskDelay(
    false,
    localDelay(work, device.clock),
    noTime,
    noTime,
    seconds(observation.age[index] as number),
  );
  const energy = taskEnergy(false, localEnergy(work, device.clock, device.k), noEnergy, noEnergy);
  return meetsDeadline(delay, deadline) && withinCharge(energy, joules(observation.charge[index] as number));
};

/** Whether a device's head-of-line task, offloaded now with these shares, would meet C2 and C3. */
export const succeedsAtEdge = (
  observation: Observation,
  index: number,
  device: Device,
  deadline: Seconds,
  community: CommunitySettings,
  bandwidthShare: number,
  computeShare: number,
): boolean => {
  if (!(bandwidthShare > 0 && computeShare > 0)) return false;
  const upload = uploadDelay(
    bits(observation.dataSize[index] as number),
    sharedRate(device.fullRate, ratio(bandwidthShare)),
  );
  const execution = edgeDelay(cycles(observation.work[index] as number), ratio(computeShare), community.serverClock);
  const delay = taskDelay(true, noTime, upload, execution, seconds(observation.age[index] as number));
  const energy = taskEnergy(
    true,
    noEnergy,
    uploadEnergy(device.transmitPower, upload),
    edgeEnergy(community.serverPower, execution),
  );
  return meetsDeadline(delay, deadline) && withinCharge(energy, joules(observation.charge[index] as number));
};
