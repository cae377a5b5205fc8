import { hertz, type Meters, meters, ratio, watts } from "@offloadlab/units";
import { uplinkRate } from "./radio.ts";
import { randomStream } from "./random.ts";
import { type CommunitySettings, communityAt, type Device, type Settings } from "./settings.ts";

/** The name of a device, `ed-<community from 1>-<device from 1>`; the indices count from 0. */
export const deviceId = (communityIndex: number, deviceIndex: number): string =>
  `ed-${communityIndex + 1}-${deviceIndex + 1}`;

/** The name of a community's server, `mec-<community from 1>`; the index counts from 0. */
export const serverId = (communityIndex: number): string => `mec-${communityIndex + 1}`;

/** The names of all servers and devices that settings ask for. */
export const nodeIds = (settings: Settings): string[] =>
  settings.communities.flatMap(({ deviceCount }, communityIndex) => [
    serverId(communityIndex),
    ...Array.from({ length: deviceCount }, (_, deviceIndex) => deviceId(communityIndex, deviceIndex)),
  ]);

/** How much more a signal has faded at a distance than in the middle of its community: (l_middle / l)^exponent. */
const fading = ({ device, pathLossExponent }: CommunitySettings, distance: Meters): number =>
  ((device.distance.low + device.distance.high) / 2 / distance) ** pathLossExponent;

/** σ² = (1e-3)², §V-A: the channel gain is derived with it, so it leaves the rate again. */
const noisePower = watts(1e-6);

/**
 * The end devices of a community, their constants drawn once from its ranges.
 *
 * Each device draws from a stream of its own: a device more does not change the others.
 */
export const devicesOf = (settings: Settings, communityIndex: number, seed: number): Device[] => {
  const community = communityAt(settings, communityIndex);
  const { clock, k, transmitPower, distance, capacity, harvested } = community.device;

  return Array.from({ length: community.deviceCount }, (_, deviceIndex) => {
    const random = randomStream(seed, "device", communityIndex, deviceIndex);
    const device = {
      id: deviceId(communityIndex, deviceIndex),
      clock: hertz(random.uniform(clock.low, clock.high)),
      k,
      transmitPower: watts(random.uniform(transmitPower.low, transmitPower.high)),
      distance: meters(random.uniform(distance.low, distance.high)),
      capacity,
      harvested,
    };
    const signalToNoise = community.signalToNoise * fading(community, device.distance);
    // Eq. (1) solved for the gain: it leaves no more of a device's power than the ratio says.
    const channelGain = (signalToNoise * noisePower * device.distance) / device.transmitPower;
    const fullRate = uplinkRate(
      ratio(1),
      community.bandwidth,
      device.transmitPower,
      channelGain,
      noisePower,
      device.distance,
    );
    return { ...device, fullRate };
  });
};
