import { type Action, type Device, devicesOf, emptyAction, type Observation, paper, testbed } from "@offloadlab/model";
import { count } from "@offloadlab/units";
import fc from "fast-check";

/** Any state that n devices can be in, queues and lanes independent of each other. */
export const randomObservation = (deviceCount: number): fc.Arbitrary<Observation> => {
  const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });
  const share = fc.oneof(between(0, 1), fc.constantFrom(0, 1, 0.5));
  const device = fc.record({
    waiting: fc.nat(1),
    dataSize: between(4e6, 12e6),
    work: between(1e9, 1.2e9),
    age: between(0, 2),
    charge: between(0, 120),
    processorBusy: fc.nat(1),
    radioBusy: fc.nat(1),
  });
  return fc
    .tuple(fc.array(device, { minLength: deviceCount, maxLength: deviceCount }), share, share)
    .map(([devices, bandwidthInUse, computeInUse]) => ({
      deviceCount: count(deviceCount),
      waiting: Uint8Array.from(devices, ({ waiting }) => waiting),
      dataSize: Float64Array.from(devices, ({ waiting, dataSize }) => waiting * dataSize),
      work: Float64Array.from(devices, ({ waiting, work }) => waiting * work),
      age: Float64Array.from(devices, ({ waiting, age }) => waiting * age),
      charge: Float64Array.from(devices, ({ charge }) => charge),
      distance: new Float64Array(deviceCount).fill(10),
      clock: new Float64Array(deviceCount).fill(1.1e9),
      fullRate: new Float64Array(deviceCount).fill(100e6),
      processorBusy: Uint8Array.from(devices, ({ processorBusy }) => processorBusy),
      radioBusy: Uint8Array.from(devices, ({ radioBusy }) => radioBusy),
      queueLength: Uint16Array.from(devices, ({ waiting }) => waiting),
      bandwidthInUse,
      computeInUse,
    }));
};

/** An action full of what no policy would decide, so that an entry left out shows. */
export const garbageAction = (deviceCount: number): Action => {
  const action = emptyAction(count(deviceCount));
  action.placement.fill(255);
  action.bandwidthShare.fill(-1);
  action.computeShare.fill(-1);
  return action;
};

/** The communities that the properties are checked on, with few devices and with many. */
export const worlds = [testbed, paper].map((settings) => ({
  settings,
  devices: devicesOf(settings, 0, 1) as readonly Device[],
}));
