import { count } from "@offloadlab/units";
import { expect, it } from "vitest";
import { devicesOf } from "./devices.ts";
import { paperPhysical } from "./presets.ts";

it("names devices by community and number, both from 1", () => {
  const ids = devicesOf(paperPhysical, 1, 1).map(({ id }) => id);
  expect([ids[0], ids[12], ids.length]).toEqual(["ed-2-1", "ed-2-13", 13]);
});

it("draws constants within the ranges, different for each device", () => {
  const devices = devicesOf(paperPhysical, 0, 1);
  for (const { clock, transmitPower } of devices) {
    expect(clock >= 1e9 && clock <= 1.2e9).toBe(true);
    expect(transmitPower >= 0.1 && transmitPower <= 0.4).toBe(true);
  }
  expect(new Set(devices.map(({ clock }) => clock)).size).toBe(13);
});

it("gives every device the community's signal-to-noise ratio, whatever its power", () => {
  for (const { fullRate } of devicesOf(paperPhysical, 0, 1)) {
    expect(fullRate).toBeCloseTo(15e6 * Math.log2(1 + 10 ** 1.2), 3);
  }
});

it("repeats with the seed and changes with it", () => {
  expect(devicesOf(paperPhysical, 0, 5)).toEqual(devicesOf(paperPhysical, 0, 5));
  expect(devicesOf(paperPhysical, 0, 5)).not.toEqual(devicesOf(paperPhysical, 0, 6));
});

it("leaves the others as they are when a community grows", () => {
  const communities = paperPhysical.communities.map((community) => ({ ...community, deviceCount: count(14) }));
  expect(devicesOf({ ...paperPhysical, communities }, 0, 5).slice(0, 13)).toEqual(devicesOf(paperPhysical, 0, 5));
});

it("refuses a community that does not exist", () => {
  expect(() => devicesOf(paperPhysical, 3, 1)).toThrow("Expected a community index below 3");
});
