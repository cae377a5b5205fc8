import { expect, it } from "vitest";
import { missedSubSlots } from "./conditions.ts";
import { action, stamped } from "./journals.test-helper.ts";

it("counts missed reports over all journalled sub-slots, with or without a decision, but for the warm-up", () => {
  const decision = { task: "ed-1-1-0", placement: "wait", bandwidthShare: 0, computeShare: 0 } as const;
  const journals = new Map([
    ["mec-1", stamped([action([decision], { devices: 3, reported: 3 }), action([], { devices: 3, reported: 2 })])],
    ["mec-2", stamped([action([], { devices: 4, reported: 4 }), action([], { trial: 0, devices: 9, reported: 0 })])],
  ]);
  expect(missedSubSlots(journals)).toBeCloseTo(1 / 10, 12);
  expect(missedSubSlots(new Map())).toBe(0);
});
