import {
  type Action,
  type Device,
  devicesOf,
  emptyObservation,
  type Observation,
  placement,
  testbed,
} from "@offloadlab/model";
import { count, hertz } from "@offloadlab/units";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { edge as edgeAlways, greedy, local as localAlways, type Policy } from "./index.ts";
import { garbageAction, randomObservation } from "./random-observation.test-helper.ts";

const { local, edge, wait } = placement;

// 1 gigacycle at 1 GHz: T^l = 1 s, E^l = 10 J.
const devices = devicesOf(testbed, 0, 1).map((device): Device => ({ ...device, clock: hertz(1e9) }));

/** Three devices with full batteries, each with a task of 1 MB and 1 gigacycle that just arrived. */
const fresh = (changes: Partial<Record<keyof Observation, number[]>> = {}): Observation => {
  const observation = emptyObservation(count(3));
  observation.waiting.fill(1);
  observation.dataSize.fill(8e6);
  observation.work.fill(1e9);
  observation.charge.fill(120);
  for (const [key, values] of Object.entries(changes)) (observation[key as "age"] as Float64Array).set(values);
  return observation;
};

const decided = (policy: Policy, observation: Observation): Action => {
  const action = garbageAction(observation.deviceCount);
  policy.decide(observation, action);
  return action;
};

describe("local", () => {
  const policy = localAlways(testbed, 0, devices);

  it("executes every task on its device, late or not", () => {
    expect([...decided(policy, fresh({ age: [0, 1, 5], processorBusy: [0, 1, 0] })).placement]).toEqual([
      local,
      local,
      local,
    ]);
  });
});

describe("edge", () => {
  const policy = edgeAlways(testbed, 0, devices);

  it("offloads every task with 1/n, and waits for a busy radio", () => {
    const action = decided(policy, fresh({ radioBusy: [0, 1, 0] }));
    expect([...action.placement]).toEqual([edge, wait, edge]);
    expect([...action.bandwidthShare]).toEqual([1 / 3, 0, 1 / 3]);
    expect(action.computeShare).toEqual(action.bandwidthShare);
  });

  it("gives the last 1/n when rounding has moved the sum of those in flight", () => {
    const observation = fresh({ waiting: [0, 0, 1], radioBusy: [1, 1, 0] });
    observation.bandwidthInUse = 2 / 3 + 1e-15;
    observation.computeInUse = 2 / 3 + 1e-15;
    expect(decided(policy, observation).placement[2]).toBe(edge);
  });

  it("waits while another policy's shares are in flight", () => {
    const observation = fresh({ radioBusy: [1, 0, 0] });
    observation.computeInUse = 0.5;
    expect([...decided(policy, observation).placement]).toEqual([wait, edge, wait]);
  });
});

describe("greedy", () => {
  const policy = greedy(testbed, 0, devices);

  it("stays local on an idle processor, to the last moment and the last joule", () => {
    expect([...decided(policy, fresh({ age: [0, 0.5, 0.51] })).placement]).toEqual([local, local, edge]);
    expect([...decided(policy, fresh({ charge: [120, 10.01, 9.99] })).placement]).toEqual([local, local, edge]);
  });

  it("offloads with 1/n when the processor is busy, and waits when the radio is too", () => {
    const action = decided(policy, fresh({ processorBusy: [1, 1, 0], radioBusy: [0, 1, 1] }));
    expect([...action.placement]).toEqual([edge, wait, local]);
    expect([...action.bandwidthShare]).toEqual([1 / 3, 0, 0]);
  });

  it("decides as edge does for every task that it does not keep", () => {
    fc.assert(
      fc.property(randomObservation(3), (random) => {
        const observation = { ...random, bandwidthInUse: 0, computeInUse: 0 };
        const always = decided(edgeAlways(testbed, 0, devices), observation);
        const action = decided(policy, observation);
        action.placement.forEach((where, device) => {
          if (where !== local) expect(where).toBe(always.placement[device]);
        });
      }),
    );
  });
});
