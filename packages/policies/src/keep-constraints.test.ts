import { type Action, emptyAction, placement, sharesFit } from "@offloadlab/model";
import { count } from "@offloadlab/units";
import fc from "fast-check";
import { expect, it } from "vitest";
import { fair } from "./fair.ts";
import { keepConstraints } from "./keep-constraints.ts";
import { randomObservation, worlds } from "./random-observation.test-helper.ts";

const n = 4;
/** Any placements, and any shares that are numbers. */
const anyAction = fc
  .array(
    fc.record({
      where: fc.constantFrom(0, 1, 2),
      bandwidth: fc.double({ min: 0, max: 1, noNaN: true }),
      compute: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { minLength: n, maxLength: n },
  )
  .map((devices): Action => {
    const action = emptyAction(count(n));
    devices.forEach(({ where, bandwidth, compute }, j) => {
      action.placement[j] = where;
      action.bandwidthShare[j] = bandwidth;
      action.computeShare[j] = compute;
    });
    return action;
  });

it("leaves no action that breaks C1, C4 or C5, or offloads what cannot be", () => {
  fc.assert(
    fc.property(randomObservation(n), anyAction, (observation, action) => {
      keepConstraints(observation, action);
      expect(sharesFit(action.bandwidthShare, observation.bandwidthInUse)).toBe(true);
      expect(sharesFit(action.computeShare, observation.computeInUse)).toBe(true);
      for (let j = 0; j < n; j++) {
        const isEdge = action.placement[j] === placement.edge;
        if (isEdge) expect([observation.waiting[j], observation.radioBusy[j]]).toEqual([1, 0]);
        expect((action.bandwidthShare[j] as number) > 0).toBe(isEdge);
        expect((action.computeShare[j] as number) > 0).toBe(isEdge);
        if (observation.waiting[j] === 0) expect(action.placement[j]).toBe(placement.wait);
      }
    }),
  );
});

it("changes nothing of what keeps them", () => {
  for (const { settings, devices } of worlds) {
    const policy = fair(settings, 0, devices);
    fc.assert(
      fc.property(randomObservation(devices.length), (observation) => {
        const action = emptyAction(count(devices.length));
        policy.decide(observation, action);
        const before = structuredClone(action);
        expect(keepConstraints(observation, action)).toBe(false);
        expect(action).toEqual(before);
      }),
    );
  }
});

it("scales shares down in proportion, each of B and F by itself", () => {
  const [observation] = fc.sample(randomObservation(2), 1);
  if (observation === undefined) throw new RangeError("Expected a sample");
  observation.waiting.fill(1);
  observation.radioBusy.fill(0);
  const given = { ...observation, bandwidthInUse: 0.5, computeInUse: 0 };
  const action: Action = {
    placement: Uint8Array.of(placement.edge, placement.edge),
    bandwidthShare: Float64Array.of(0.25, 0.75),
    computeShare: Float64Array.of(0.25, 0.25),
  };
  expect(keepConstraints(given, action)).toBe(true);
  expect([...action.bandwidthShare]).toEqual([0.125, 0.375]);
  expect([...action.computeShare]).toEqual([0.25, 0.25]);
});
