import {
  type Bits,
  type BitsPerSecond,
  bitsPerSecond,
  type Hertz,
  type Joules,
  joules,
  type Meters,
  type Ratio,
  type Seconds,
  seconds,
  type Watts,
} from "@offloadlab/units";

/**
 * Rate at which a device uploads with its share of the community's bandwidth.
 *
 * Eq. (1): r = w · B · log₂(1 + P · g / (σ² · l))
 *
 * Distance divides linearly, as printed: a path-loss exponent would go into `channelGain`.
 *
 * @param share w_{i,j}(t)
 * @param bandwidth B_i(t), the whole of it
 * @param transmitPower P_{i,j}(t)
 * @param channelGain g_{i,j}(t), in metres, so that P · g / (σ² · l) has no dimension
 * @param noisePower σ²
 * @param distance l_{i,j}(t)
 */
export const uplinkRate = (
  share: Ratio,
  bandwidth: Hertz,
  transmitPower: Watts,
  channelGain: number,
  noisePower: Watts,
  distance: Meters,
): BitsPerSecond =>
  bitsPerSecond(share * bandwidth * Math.log2(1 + (transmitPower * channelGain) / (noisePower * distance)));

/** Rate with a share of the bandwidth, from the rate with the whole of it: the uplink rate is linear in w. */
export const sharedRate = (fullRate: BitsPerSecond, share: Ratio): BitsPerSecond => bitsPerSecond(share * fullRate);

/**
 * Time to upload a task's data.
 *
 * Eq. (2): T^tr = D / r
 *
 * @param dataSize D_{i,j}(h)
 * @param rate r_{i,j}(t)
 * @throws RangeError when the rate is 0
 */
export const uploadDelay = (dataSize: Bits, rate: BitsPerSecond): Seconds => seconds(dataSize / rate);

/**
 * Energy of the device to upload a task's data.
 *
 * Eq. (3): E^tr = P · T^tr
 *
 * @param transmitPower P_{i,j}(t)
 * @param delay T^tr
 */
export const uploadEnergy = (transmitPower: Watts, delay: Seconds): Joules => joules(transmitPower * delay);
