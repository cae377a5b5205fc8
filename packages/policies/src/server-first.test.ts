import {
  type Action,
  communityAt,
  type Device,
  devicesOf,
  emptyObservation,
  type Observation,
  paper,
  placement,
  sharesFit,
} from "@offloadlab/model";
import { count } from "@offloadlab/units";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { serverFirst } from "./index.ts";
import { succeedsAtEdge, succeedsLocally } from "./prospect.ts";
import { garbageAction, randomObservation, worlds } from "./random-observation.test-helper.ts";

const { local, edge, wait } = placement;
const devices = devicesOf(paper, 0, 1);
const n = devices.length;

interface Asking {
  readonly age?: number;
  readonly queueLength?: number;
  readonly busy?: boolean;
  readonly charge?: number;
}

/** Thirteen devices with full batteries; the named ones have a task of 1 MB and 1 gigacycle, 0.068 s with all shares. */
const asking = (tasks: Record<number, Asking>): Observation => {
  const observation = emptyObservation(count(n));
  observation.charge.fill(120);
  for (const [index, { age = 0, queueLength = 1, busy = false, charge = 120 }] of Object.entries(tasks)) {
    observation.waiting[+index] = 1;
    observation.age[+index] = age;
    observation.dataSize[+index] = 8e6;
    observation.work[+index] = 1e9;
    observation.charge[+index] = charge;
    observation.queueLength[+index] = queueLength;
    observation.processorBusy[+index] = busy ? 1 : 0;
  }
  return observation;
};

const decided = (observation: Observation): Action => {
  const action = garbageAction(n);
  serverFirst(paper, 0, devices).decide(observation, action);
  return action;
};

const where = (observation: Observation, wanted: number): number[] => {
  const { placement: places } = decided(observation);
  return [...places.keys()].filter((index) => observation.waiting[index] === 1 && places[index] === wanted);
};

describe("server first sends", () => {
  it("as many tasks as return within the sub-slot, and keeps the rest local", () => {
    const observation = asking({ 1: {}, 3: {}, 5: {}, 8: {}, 9: {} });
    expect(where(observation, edge)).toEqual([1, 3, 5]);
    expect(where(observation, local)).toEqual([8, 9]);
  });

  it("those that cannot stay local, then the oldest, then those with the longest queues", () => {
    expect(where(asking({ 1: { age: 0.4 }, 3: { busy: true }, 5: { age: 0.25 }, 8: { age: 0.3 } }), edge)).toEqual([
      1, 3, 8,
    ]);
    expect(where(asking({ 1: {}, 3: { queueLength: 2 }, 5: { queueLength: 3 }, 8: { queueLength: 2 } }), edge)).toEqual(
      [3, 5, 8],
    );
  });

  it("another instead of one that cannot succeed, which waits", () => {
    const observation = asking({ 1: { age: 1.49 }, 3: { charge: 3 }, 5: {} });
    expect(where(observation, edge)).toEqual([5]);
    expect(where(observation, wait)).toEqual([1, 3]);
  });

  it("nobody whose share would make another late", () => {
    expect(where(asking({ 1: { age: 1.4, busy: true }, 3: { busy: true } }), edge)).toEqual([1]);
  });

  it("one that returns later, if it is alone", () => {
    const observation = asking({ 1: { busy: true }, 3: { busy: true } });
    observation.computeInUse = 0.9;
    expect(where(observation, edge)).toEqual([1]);
    expect(where(observation, wait)).toEqual([3]);
  });

  it("nobody when nothing is left", () => {
    const observation = asking({ 1: {}, 3: {} });
    observation.bandwidthInUse = 1;
    expect(where(observation, local)).toEqual([1, 3]);
  });
});

it("server first splits what is left in proportion to data and work", () => {
  const observation = asking({ 1: {}, 3: {} });
  observation.dataSize[3] = 4e6;
  observation.bandwidthInUse = 0.1;
  const { bandwidthShare, computeShare } = decided(observation);
  expect([bandwidthShare[1], bandwidthShare[3]]).toEqual([expect.closeTo(0.6, 12), expect.closeTo(0.3, 12)]);
  expect([computeShare[1], computeShare[3]]).toEqual([0.5, 0.5]);
});

describe.each(worlds)("server first in $settings.name", ({ settings, devices }) => {
  const decide = (observation: Observation): Action => {
    const action = garbageAction(devices.length);
    serverFirst(settings, 0, devices).decide(observation, action);
    return action;
  };

  it("gives shares that fit, and never a lease that breaks C2 or C3 or that needs a busy radio", () => {
    fc.assert(
      fc.property(randomObservation(devices.length), (observation) => {
        const action = decide(observation);
        expect(sharesFit(action.bandwidthShare, observation.bandwidthInUse)).toBe(true);
        expect(sharesFit(action.computeShare, observation.computeInUse)).toBe(true);
        for (const [index, device] of devices.entries()) {
          const shares = [action.bandwidthShare[index] as number, action.computeShare[index] as number] as const;
          if (action.placement[index] !== edge) expect(shares).toEqual([0, 0]);
          else {
            expect([observation.waiting[index], observation.radioBusy[index]]).toEqual([1, 0]);
            const community = communityAt(settings, 0);
            expect(succeedsAtEdge(observation, index, device, settings.deadline, community, ...shares)).toBe(true);
          }
        }
      }),
    );
  });

  it("lets nobody wait who could stay local", () => {
    fc.assert(
      fc.property(randomObservation(devices.length), (observation) => {
        const { placement: places } = decide(observation);
        for (const [index, device] of devices.entries()) {
          const idle = observation.waiting[index] === 1 && observation.processorBusy[index] === 0;
          const couldStay = idle && succeedsLocally(observation, index, device as Device, settings.deadline);
          if (places[index] === local) expect(couldStay).toBe(true);
          if (couldStay) expect(places[index]).not.toBe(wait);
          if (observation.waiting[index] === 0) expect(places[index]).toBe(wait);
        }
      }),
    );
  });

  it("decides the same again, and does not touch what it observes", () => {
    fc.assert(
      fc.property(randomObservation(devices.length), (observation) => {
        const before = structuredClone(observation);
        expect(decide(observation)).toEqual(decide(observation));
        expect(observation).toEqual(before);
      }),
    );
  });
});
