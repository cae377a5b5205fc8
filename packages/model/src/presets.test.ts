import { bitsOf, bytes, cycles, hertz, ratio } from "@offloadlab/units";
import { describe, expect, it } from "vitest";
import { devicesOf } from "./devices.ts";
import { localEnergy } from "./local.ts";
import { presets } from "./presets.ts";
import { sharedRate, uploadDelay } from "./radio.ts";
import type { Device, Settings } from "./settings.ts";

const firstDevice = (settings: Settings) => devicesOf(settings, 0, 1)[0] as Device;

describe.each(Object.entries(presets))("preset %s", (name, settings) => {
  it("has its name, three communities and 20 time-slots of four quarters of a second", () => {
    expect(settings.name).toBe(name);
    expect(settings.communities).toHaveLength(3);
    expect(settings.timeSlotCount).toBe(20);
    expect(settings.timeSlot / settings.subSlotsPerTimeSlot).toBe(0.25);
    expect(settings.deadline).toBe(1.5);
  });

  it("has the paper's battery, and demands within its ranges", () => {
    for (const { demand, device } of settings.communities) {
      expect([device.capacity, device.harvested]).toEqual([120, 40]);
      expect(localEnergy(cycles(1e9), hertz(1e9), device.k)).toBeCloseTo(10, 12);
      for (const weight of [demand.delay, demand.energy]) expect(weight >= 0.5 && weight <= 1).toBe(true);
      expect(demand.success >= 10 && demand.success <= 20).toBe(true);
    }
  });
});

it("paper uploads 1 MB in 0.23 s with 1/13 of 15 MHz", () => {
  const { fullRate } = firstDevice(presets.paper);
  expect(uploadDelay(bitsOf(bytes(1e6)), sharedRate(fullRate, ratio(1 / 13)))).toBeCloseTo(0.23, 9);
  expect(presets.paper.communities.map(({ deviceCount }) => deviceCount)).toEqual([13, 13, 13]);
});

it("paper-physical has 12 dB, 4.07 bit/s for each hertz", () => {
  const { fullRate } = firstDevice(presets["paper-physical"]);
  expect(fullRate / 15e6).toBeCloseTo(4.0746, 4);
});

it("testbed has 100 Mbit/s for three devices at 1.5 GHz", () => {
  const { fullRate, clock } = firstDevice(presets.testbed);
  expect(fullRate).toBeCloseTo(100e6, 3);
  expect(clock).toBe(1.5e9);
  expect(presets.testbed.communities.map(({ deviceCount }) => deviceCount)).toEqual([3, 3, 3]);
});
