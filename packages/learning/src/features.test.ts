import { communityAt, emptyObservation, type Observation, paper } from "@offloadlab/model";
import { count } from "@offloadlab/units";
import { describe, expect, it } from "vitest";
import { type FeatureSettings, featureCount, prospectOf, writeFeatures } from "./features.ts";

const community = communityAt(paper, 0);
const { workload, device, demand } = community;
const deadline = 1.5;

/** Two devices: one with the largest of everything, one idle. */
const observation = (): Observation => {
  const two = emptyObservation(count(2));
  two.waiting.set([1, 0]);
  two.dataSize.set([workload.dataSize.high, 0]);
  two.work.set([workload.work.high, 0]);
  two.charge.set([device.capacity, device.capacity / 4]);
  two.distance.set([device.distance.high, device.distance.high / 2]);
  two.clock.set([1.2e9, 1e9]);
  two.fullRate.set([160e6, 80e6]);
  two.age.set([0.75, 0]);
  two.processorBusy.set([1, 0]);
  two.radioBusy.set([0, 1]);
  two.queueLength.set([2, 0]);
  two.bandwidthInUse = 0.25;
  two.computeInUse = 0.5;
  return two;
};
const features = (settings: FeatureSettings, of = observation(), world = community): number[] => {
  const rows = settings.networks === "set" ? of.deviceCount : 1;
  const values = new Float32Array(rows * featureCount(settings, of.deviceCount)).fill(Number.NaN);
  writeFeatures(settings, of, world, deadline, values);
  return [...values];
};
const fround = (values: readonly number[]): number[] => values.map(Math.fround);

const paperDevices = [
  [1, 1, 1, 1],
  [0, 0, 0.25, 0.5],
];
/** Of 1.2 gigacycles and 12 Mbit: 1 s on the device; with 3/4 of B 0.1 s and with half of F 0.12 s. */
const extendedDevices = [
  [1, 1, 1, 1, 1, 0.5, 1, 0, 0.5, 1 / 1.5, 0.1 / 1.5, 0.12 / 1.5, 0],
  [0, 0, 0.25, 0.5, 0, 0, 0, 1, 0, 0, 0, 0, 0],
];
/** B and F that are left, in units of §V-A's, and q. */
const ofCommunity = [0.75, 0.5 * (community.serverClock / 20e9), demand.delay, demand.energy, demand.success / 20];

it("a task that seems larger than any takes longer, and is no larger", () => {
  const settings = { observation: "extended", networks: "set" } as const;
  const seeming = observation();
  seeming.dataSize[0] = 2 * workload.dataSize.high;
  const differing = features(settings, seeming).flatMap((value, i) => {
    const before = features(settings)[i];
    return value === before ? [] : [[i, before, value]];
  });
  expect(differing).toEqual([[10, ...fround([0.1 / 1.5, 0.2 / 1.5])]]);
});

describe.each([
  ["paper", paperDevices],
  ["extended", extendedDevices],
] as const)("%s", (reading, devices) => {
  it("set: a row of each device, with the community's numbers behind", () => {
    const settings = { observation: reading, networks: "set" } as const;
    expect(features(settings)).toEqual(fround(devices.flatMap((own) => [...own, ...ofCommunity])));
  });

  it("flat: one row of all devices, with the community's numbers behind", () => {
    const settings = { observation: reading, networks: "flat" } as const;
    expect(features(settings)).toEqual(fround([...devices.flat(), ...ofCommunity]));
  });

  it("a row of a set is as long whatever the number of devices", () => {
    const lengths = [1, 3, 40].map((n) => featureCount({ observation: reading, networks: "set" }, n));
    expect(new Set(lengths).size).toBe(1);
    const width = (devices[0]?.length ?? 0) + ofCommunity.length;
    expect(lengths[0]).toBe(width);
    expect(featureCount({ observation: reading, networks: "flat" }, 13)).toBe(13 * (width - 5) + 5);
  });
});

describe("what a task can expect", () => {
  const expected = (age: number, inUse = 0) => {
    const one = observation();
    one.age[0] = age;
    one.bandwidthInUse = inUse;
    one.computeInUse = inUse;
    return prospectOf(one, 0, community, deadline);
  };

  it("follows Eqs. (2), (4) and (6), with all that is left", () => {
    expect(expected(0)).toMatchObject({ local: 1, upload: 0.075, execution: 0.06 });
    expect(expected(0, 0.5)).toMatchObject({ local: 1, upload: 0.15, execution: 0.12 });
  });

  it("is a success on the device until C2 says otherwise", () => {
    expect([0, 0.5, 0.51].map((age) => expected(age).succeedsLocally)).toEqual([true, true, false]);
  });

  it("stays finite where nothing is left", () => {
    expect(expected(0, 1)).toMatchObject({ upload: 0.075 * 50, execution: 0.06 * 50 });
  });
});

it("the paper's reading has neither age nor lanes nor queues nor prospects", () => {
  const settings = { observation: "paper", networks: "set" } as const;
  const other = observation();
  other.age.fill(9);
  other.clock.fill(1);
  other.fullRate.fill(1);
  other.processorBusy.fill(0);
  other.radioBusy.fill(0);
  other.queueLength.fill(7);
  expect(features(settings, other)).toEqual(features(settings));
});

it("what is left of B and F is shown in units that all communities share", () => {
  const settings = { observation: "paper", networks: "flat" } as const;
  const half = { ...community, bandwidth: (community.bandwidth / 2) as typeof community.bandwidth };
  const at = 2 * 4;
  expect(features(settings, observation(), half)[at]).toBe((features(settings)[at] as number) / 2);
});

it("permuting devices permutes the rows of a set", () => {
  const settings = { observation: "extended", networks: "set" } as const;
  const swapped = observation();
  for (const values of Object.values(swapped)) if (ArrayBuffer.isView(values)) (values as Float64Array).reverse();
  const rows = features(settings);
  const width = rows.length / 2;
  expect(features(settings, swapped)).toEqual([...rows.slice(width), ...rows.slice(0, width)]);
});
