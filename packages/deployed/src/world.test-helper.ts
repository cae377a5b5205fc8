import {
  type Action,
  devicesOf,
  emptyAction,
  emptyObservation,
  type Observation,
  randomStream,
  testbed,
} from "@offloadlab/model";
import { count } from "@offloadlab/units";

export const world = testbed;
export const devices = devicesOf(world, 0, 1);
export const deviceCount = devices.length;

/** A state of the community, another one for each number. */
export const observationOf = (number: number, n = deviceCount): Observation => {
  const random = randomStream(0, "observation", number);
  const observation = emptyObservation(count(n));
  for (let j = 0; j < n; j++) {
    const waiting = random.uniform() < 0.8 ? 1 : 0;
    observation.waiting[j] = waiting;
    observation.dataSize[j] = waiting * random.uniform(4e6, 12e6);
    observation.work[j] = waiting * random.uniform(1e9, 1.2e9);
    observation.age[j] = waiting * random.uniform(0, 1.2);
    observation.charge[j] = random.uniform(0, 120);
    observation.distance[j] = random.uniform(1, 10);
    observation.clock[j] = devices[j % deviceCount]?.clock ?? 0;
    observation.fullRate[j] = devices[j % deviceCount]?.fullRate ?? 0;
    observation.processorBusy[j] = random.integer(2);
    observation.radioBusy[j] = random.integer(2);
    observation.queueLength[j] = waiting * (1 + random.integer(3));
  }
  observation.bandwidthInUse = random.uniform(0, 1);
  observation.computeInUse = random.uniform(0, 1);
  return observation;
};

export const newAction = (n = deviceCount): Action => emptyAction(count(n));
