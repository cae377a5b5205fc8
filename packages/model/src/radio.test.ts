import { bits, bitsOf, bitsPerSecond, bytes, hertz, meters, ratio, seconds, watts } from "@offloadlab/units";
import fc from "fast-check";
import { expect, it } from "vitest";
import { isClose, scalesAs } from "./dimension.test-helper.ts";
import { sharedRate, uplinkRate, uploadDelay, uploadEnergy } from "./radio.ts";

const part = fc.double({ min: 0.01, max: 1, noNaN: true });
const rate = (share: number, power: number, gain: number, noise: number, distance: number) =>
  uplinkRate(ratio(share), hertz(15e6), watts(power), gain, watts(noise), meters(distance));

it("Eq. (1) is linear in the share and the bandwidth", () => {
  scalesAs(uplinkRate, [1, 1, undefined, undefined, undefined, undefined]);
});

it("Eq. (1) keeps its value when power and noise, power and distance, or gain and noise scale together", () => {
  fc.assert(
    fc.property(part, part, part, part, part, (power, gain, noise, distance, scale) => {
      const whole = rate(1, power, gain, noise, distance);
      return [
        rate(1, power * scale, gain, noise * scale, distance),
        rate(1, power * scale, gain, noise, distance * scale),
        rate(1, power, gain * scale, noise * scale, distance),
      ].every((same) => isClose(same, whole));
    }),
  );
});

it("Eq. (1) grows with power and falls with distance", () => {
  fc.assert(
    fc.property(part, part, part, part, (power, gain, noise, distance) => {
      const whole = rate(1, power, gain, noise, distance);
      return rate(1, 2 * power, gain, noise, distance) > whole && rate(1, power, gain, noise, 2 * distance) < whole;
    }),
  );
});

it("Eq. (1) gives one bit per second and hertz at a signal-to-noise ratio of 1, and nothing without a share", () => {
  expect(rate(1, 0.1, 1e-4, 1e-6, 10)).toBeCloseTo(15e6, 3);
  expect(rate(0, 0.1, 1e-4, 1e-6, 10)).toBe(0);
});

it("a share of the full rate is Eq. (1) with that share", () => {
  fc.assert(
    fc.property(part, (share) => isClose(sharedRate(rate(1, 1, 1, 1, 1), ratio(share)), rate(share, 1, 1, 1, 1))),
  );
});

it("Eq. (2) grows with the data and falls with the rate", () => scalesAs(uploadDelay, [1, -1]));

it("Eq. (2) uploads 1 MB at 100 Mbit/s in 0.08 s", () => {
  expect(uploadDelay(bitsOf(bytes(1e6)), bitsPerSecond(100e6))).toBe(0.08);
});

it("Eq. (2) has no answer without a rate", () => {
  expect(() => uploadDelay(bits(1), bitsPerSecond(0))).toThrow(RangeError);
});

it("Eq. (3) grows with the power and the delay", () => scalesAs(uploadEnergy, [1, 1]));

it("Eq. (3) takes 11.5 J for 0.23 s at 50 W", () => expect(uploadEnergy(watts(50), seconds(0.23))).toBe(11.5));
