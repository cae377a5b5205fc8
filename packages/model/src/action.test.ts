import { count } from "@offloadlab/units";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Action, decodeAction, emptyAction, placement } from "./action.ts";
import { isBinaryDecision, sharesFit } from "./constraints.ts";
import { emptyObservation, type Observation } from "./observation.ts";

const { local, edge, wait } = placement;

const observe = (waiting: number[], radioBusy: number[] = [], inUse = 0): Observation => {
  const observation = emptyObservation(count(waiting.length));
  observation.waiting.set(waiting);
  observation.radioBusy.set(radioBusy);
  observation.bandwidthInUse = inUse;
  observation.computeInUse = inUse;
  return observation;
};

const decoded = (raw: number[], observation: Observation): Action => {
  const action = emptyAction(observation.deviceCount);
  decodeAction(raw, observation, action);
  return action;
};

describe("Eq. (18) decoded from a tanh layer", () => {
  it("offloads above 0 and splits in proportion to what tasks ask", () => {
    const action = decoded([1, -0.5, 0.1, 0, 1, -0.5, 0.5, 1, -0.5], observe([1, 1, 1]));
    expect([...action.placement]).toEqual([edge, local, edge]);
    // 0 asks for 0.5 and -0.5 for 0.25; 0.5 for 0.75 and -0.5 for 0.25.
    expect([...action.bandwidthShare]).toEqual([2 / 3, 0, 1 / 3]);
    expect([...action.computeShare]).toEqual([0.75, 0, 0.25]);
  });

  it("splits what tasks in flight leave, and a task whose radio is busy waits", () => {
    const action = decoded([1, 1, 1, 0, 0, 0, 0, 0, 0], observe([1, 1, 0], [0, 1, 0], 0.6));
    expect([...action.placement]).toEqual([edge, wait, wait]);
    expect([...action.bandwidthShare]).toEqual([0.4, 0, 0]);
  });

  it("lets a task wait that asks for nothing or finds nothing left", () => {
    expect([...decoded([1, 1, -1, 1, 1, 1], observe([1, 1])).placement]).toEqual([wait, edge]);
    expect([...decoded([1, 1, 1, 1, 1, 1], observe([1, 1], [], 1)).placement]).toEqual([wait, wait]);
  });

  it("refuses an output of another size", () => {
    expect(() => decoded([1, 1], observe([1]))).toThrow("Expected 3 entries for 1 devices, got 2");
  });

  it("satisfies C1, C4 and C5 for every output and state", () => {
    const devices = fc.integer({ min: 1, max: 15 });
    const output = fc.double({ min: -1, max: 1, noNaN: true });
    const flags = (n: number) => fc.array(fc.nat(1), { minLength: n, maxLength: n });
    const cases = devices.chain((n) =>
      fc.record({
        raw: fc.array(output, { minLength: 3 * n, maxLength: 3 * n }),
        observation: fc
          .tuple(flags(n), flags(n), fc.double({ min: 0, max: 1, noNaN: true }))
          .map(([waiting, busy, inUse]) => observe(waiting, busy, inUse)),
      }),
    );
    fc.assert(
      fc.property(cases, ({ raw, observation }) => {
        const action = decoded(raw, observation);
        expect(sharesFit(action.bandwidthShare, observation.bandwidthInUse)).toBe(true);
        expect(sharesFit(action.computeShare, observation.computeInUse)).toBe(true);
        action.placement.forEach((where, device) => {
          expect(isBinaryDecision(where) || where === wait).toBe(true);
          const shares = [action.bandwidthShare[device] as number, action.computeShare[device] as number];
          expect(shares.every((share) => (where === edge ? share > 0 : share === 0))).toBe(true);
          if (observation.waiting[device] === 0) expect(where).toBe(wait);
        });
      }),
    );
  });
});

it("Eq. (18) starts with every task where it is", () => {
  const action = emptyAction(count(3));
  expect([...action.placement]).toEqual([wait, wait, wait]);
  expect([...action.bandwidthShare, ...action.computeShare]).toEqual([0, 0, 0, 0, 0, 0]);
});
