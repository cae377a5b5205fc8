import { communityAt, type Demand, type Device, devicesOf, type Task, tasksOf } from "@offloadlab/model";
import type { TrialOrder } from "@offloadlab/protocol";
import { type Bytes, type Seconds, seconds, type Watts } from "@offloadlab/units";

/** What of the settings concerns one device. */
export interface DeviceWorld {
  readonly device: Device;
  readonly demand: Demand;
  readonly deadline: Seconds;
  readonly serverPower: Watts;
  readonly subSlot: Seconds;
  /** In an epoch. */
  readonly subSlotCount: number;
  readonly tasks: readonly Task[];
}

/** The indices in `ed-<community from 1>-<device from 1>`, from 0. */
export const indicesOf = (node: string): readonly [community: number, device: number] => {
  const [, community, device] = node.split("-").map(Number);
  return [(community ?? 0) - 1, (device ?? 0) - 1];
};

/**
 * The world of a device in a trial.
 *
 * @throws RangeError when the settings have no such device
 */
export const deviceWorld = (order: TrialOrder, node: string, imageSizes: readonly Bytes[]): DeviceWorld => {
  const { settings } = order;
  const [communityIndex, deviceIndex] = indicesOf(node);
  const community = communityAt(settings, communityIndex);
  const device = devicesOf(settings, communityIndex, order.deviceSeed)[deviceIndex];
  if (device === undefined)
    throw new RangeError(`the settings have ${community.deviceCount} devices in ${community.name}, none is ${node}`);
  return {
    device,
    demand: community.demand,
    deadline: settings.deadline,
    serverPower: community.serverPower,
    subSlot: seconds(settings.timeSlot / settings.subSlotsPerTimeSlot),
    subSlotCount: settings.timeSlotCount * settings.subSlotsPerTimeSlot,
    tasks: tasksOf(settings, communityIndex, deviceIndex, order.seed, imageSizes),
  };
};
