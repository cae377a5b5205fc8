import { decodeAction, emptyAction, emptyObservation, placement } from "@offloadlab/model";
import { count } from "@offloadlab/units";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nearestChoice, offloadingChoices, writeChoice } from "./choices.ts";

describe("a device's choices", () => {
  it("are local, and the edge with levels in the middle of equal parts of the asking scale", () => {
    const [local, ...edge] = offloadingChoices(3);
    expect(local).toEqual([-1, -1, -1]);
    const asked = [1 / 6, 1 / 2, 5 / 6];
    for (const [i, [offloaded, bandwidth = 0, compute = 0]] of edge.entries()) {
      expect(offloaded).toBe(1);
      expect((bandwidth + 1) / 2).toBeCloseTo(asked[i] as number, 12);
      expect(compute).toBe(bandwidth);
    }
    expect(edge).toHaveLength(3);
  });

  it("mean, decoded, that a device offloads or not, and asks for as much as its level", () => {
    const choices = offloadingChoices(3);
    const observation = emptyObservation(count(3));
    observation.waiting.fill(1);
    const raw = new Float32Array(9);
    // Device 0 is local; 1 and 2 offload with 1/6 and 5/6.
    for (const [device, choice] of [0, 1, 3].entries()) writeChoice(choices[choice] as number[], device, 3, raw);
    const action = emptyAction(count(3));
    decodeAction(raw, observation, action);
    expect([...action.placement]).toEqual([placement.local, placement.edge, placement.edge]);
    for (const shares of [action.bandwidthShare, action.computeShare]) {
      expect(shares[0]).toBe(0);
      expect(shares[1]).toBeCloseTo(1 / 6, 6);
      expect(shares[2]).toBeCloseTo(5 / 6, 6);
    }
  });

  it("are refused without a level", () => {
    for (const levels of [0, -1, 1.5]) expect(() => offloadingChoices(levels)).toThrow(RangeError);
  });
});

it("what a head has chosen is found again, whatever the other heads chose", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.nat(99), { minLength: 1, maxLength: 13 }),
      (levels, draws) => {
        const choices = offloadingChoices(levels);
        const heads = draws.length;
        const row = new Float32Array(3 * heads);
        const chosen = draws.map((draw) => draw % choices.length);
        for (const [head, index] of chosen.entries()) writeChoice(choices[index] as number[], head, heads, row);
        expect(chosen.map((_, head) => nearestChoice(choices, row, head, heads))).toEqual(chosen);
      },
    ),
  );
});
