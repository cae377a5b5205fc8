import {
  type Action,
  communityAt,
  type Device,
  devicesOf,
  emptyObservation,
  type Observation,
  paper,
  placement,
  presets,
  type Settings,
  testbed,
} from "@offloadlab/model";
import { count, hertz, seconds } from "@offloadlab/units";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { admittedPerSubSlot, fair, greedy } from "./index.ts";
import { succeedsAtEdge } from "./prospect.ts";
import { garbageAction, randomObservation, worlds } from "./random-observation.test-helper.ts";

const { local, edge, wait } = placement;
const devices = devicesOf(paper, 0, 1);
const n = devices.length;

/** Thirteen devices with full batteries and busy processors; the named ones have a task of 1 MB and 1 gigacycle. */
const asking = (ages: Record<number, number>): Observation => {
  const observation = emptyObservation(count(n));
  observation.charge.fill(120);
  observation.processorBusy.fill(1);
  for (const [device, age] of Object.entries(ages)) {
    observation.waiting[+device] = 1;
    observation.age[+device] = age;
    observation.dataSize[+device] = 8e6;
    observation.work[+device] = 1e9;
  }
  return observation;
};

const decided = (observation: Observation, admitted?: number): Action => {
  const action = garbageAction(observation.deviceCount);
  fair(paper, 0, devices, admitted).decide(observation, action);
  return action;
};

const offloaded = (action: Action): number[] =>
  [...action.placement.keys()].filter((device) => action.placement[device] === edge);

describe("fair admits", () => {
  it.each([
    ["testbed", 1],
    ["paper", 3],
    ["paper-physical", 3],
  ] as const)("in %s %d tasks a sub-slot", (name, tasks) => {
    expect(admittedPerSubSlot(presets[name], 0, devicesOf(presets[name], 0, 1))).toBe(tasks);
  });

  it("one task at least, however slow the server", () => {
    const communities = paper.communities.map((community) => ({ ...community, serverClock: hertz(1e9) }));
    expect(admittedPerSubSlot({ ...paper, communities }, 0, devices)).toBe(1);
  });

  it("the oldest, and the first of equals", () => {
    expect(offloaded(decided(asking({ 1: 0.1, 3: 0.5, 5: 0.3, 8: 0.4 })))).toEqual([3, 5, 8]);
    expect(offloaded(decided(asking({ 1: 0, 3: 0, 5: 0, 8: 0 }), 2))).toEqual([1, 3]);
  });

  it("the next oldest instead of one that cannot succeed", () => {
    expect(offloaded(decided(asking({ 1: 0.1, 3: 1.49, 5: 0.3 }), 1))).toEqual([5]);
    const drained = asking({ 1: 0.1, 3: 0.5 });
    drained.charge[3] = 1;
    expect(offloaded(decided(drained))).toEqual([1]);
  });

  it("nobody whose share would make another late", () => {
    // Alone the oldest takes 0.068 s and ends in time; shared with another it would take 0.135 s.
    expect(offloaded(decided(asking({ 1: 1.4, 3: 0 })))).toEqual([1]);
  });

  it("nobody when nothing is left", () => {
    const observation = asking({ 1: 0, 3: 0 });
    observation.computeInUse = 1;
    expect(offloaded(decided(observation))).toEqual([]);
  });
});

describe("fair splits", () => {
  it("all of B and F to a task that is alone", () => {
    const action = decided(asking({ 4: 0 }));
    expect([action.bandwidthShare[4], action.computeShare[4]]).toEqual([1, 1]);
  });

  it("what is left, bandwidth in proportion to data and compute to work", () => {
    const observation = asking({ 1: 0, 3: 0 });
    observation.dataSize[3] = 4e6;
    observation.work[3] = 3e9;
    observation.bandwidthInUse = 0.1;
    observation.computeInUse = 0.2;
    const action = decided(observation);
    expect(action.bandwidthShare[1]).toBeCloseTo(0.6, 12);
    expect(action.bandwidthShare[3]).toBeCloseTo(0.3, 12);
    expect(action.computeShare[1]).toBeCloseTo(0.2, 12);
    expect(action.computeShare[3]).toBeCloseTo(0.6, 12);
  });
});

describe.each(worlds)(
  "in $settings.name",
  ({ settings, devices }: { settings: Settings; devices: readonly Device[] }) => {
    const admitted = admittedPerSubSlot(settings, 0, devices);
    const decide = (observation: Observation, maker = fair) => {
      const action = garbageAction(devices.length);
      maker(settings, 0, devices).decide(observation, action);
      return action;
    };

    it("fair never gives a lease that breaks C2 or C3, and no more than it admits", () => {
      fc.assert(
        fc.property(randomObservation(devices.length), (observation) => {
          const action = decide(observation);
          const leases = offloaded(action);
          expect(leases.length).toBeLessThanOrEqual(admitted);
          for (const index of leases) {
            const device = devices[index] as Device;
            const shares = [action.bandwidthShare[index] as number, action.computeShare[index] as number] as const;
            const community = communityAt(settings, 0);
            expect(succeedsAtEdge(observation, index, device, settings.deadline, community, ...shares)).toBe(true);
          }
        }),
      );
    });

    it("fair keeps the tasks local that greedy keeps", () => {
      fc.assert(
        fc.property(randomObservation(devices.length), (observation) => {
          const kept = (action: Action) => action.placement.map((where) => (where === local ? 1 : 0));
          expect(kept(decide(observation))).toEqual(kept(decide(observation, greedy)));
        }),
      );
    });
  },
);

it("fair lets a task expire that can succeed nowhere", () => {
  const deadline = { ...testbed, deadline: seconds(0.01) };
  const device = devicesOf(deadline, 0, 1);
  const observation = emptyObservation(count(3));
  observation.waiting.fill(1);
  observation.dataSize.fill(8e6);
  observation.work.fill(1e9);
  observation.charge.fill(120);
  const action = garbageAction(3);
  fair(deadline, 0, device).decide(observation, action);
  expect([...action.placement]).toEqual([wait, wait, wait]);
});
