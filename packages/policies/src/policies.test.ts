import { emptyObservation, placement, sharesFit } from "@offloadlab/model";
import { count } from "@offloadlab/units";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { policies, policyNames } from "./index.ts";
import { garbageAction, randomObservation, worlds } from "./random-observation.test-helper.ts";

const { local, edge, wait } = placement;

describe.each(policyNames.flatMap((name) => worlds.map((world) => ({ name, ...world }))))(
  "policy $name in $settings.name",
  ({ name, settings, devices }) => {
    const n = devices.length;
    const policy = policies[name](settings, 0, devices);
    const decide = (observation: Parameters<typeof policy.decide>[0]) => {
      const action = garbageAction(n);
      policy.decide(observation, action);
      return action;
    };

    it("has its name", () => expect(policy.name).toBe(name));

    it("gives shares that fit, to the tasks that it offloads and to no other", () => {
      fc.assert(
        fc.property(randomObservation(n), (observation) => {
          const { placement: places, bandwidthShare, computeShare } = decide(observation);
          expect(sharesFit(bandwidthShare, observation.bandwidthInUse)).toBe(true);
          expect(sharesFit(computeShare, observation.computeInUse)).toBe(true);
          places.forEach((where, device) => {
            expect([local, edge, wait]).toContain(where);
            const shares = [bandwidthShare[device] as number, computeShare[device] as number];
            expect(shares.every((share) => (where === edge ? share > 0 : share === 0))).toBe(true);
          });
        }),
      );
    });

    it("offloads on an idle radio only, and leaves devices without a task alone", () => {
      fc.assert(
        fc.property(randomObservation(n), (observation) => {
          decide(observation).placement.forEach((where, device) => {
            if (observation.waiting[device] === 0) expect(where).toBe(wait);
            if (where === edge) expect(observation.radioBusy[device]).toBe(0);
          });
        }),
      );
    });

    it("decides the same again, and does not touch what it observes", () => {
      fc.assert(
        fc.property(randomObservation(n), randomObservation(n), (observation, between) => {
          const before = structuredClone(observation);
          const first = decide(observation);
          decide(between);
          expect(decide(observation)).toEqual(first);
          expect(observation).toEqual(before);
        }),
      );
    });

    it("lets idle devices wait", () => {
      expect([...decide(emptyObservation(count(n))).placement]).toEqual(Array(n).fill(wait));
    });
  },
);
