import { count } from "@offloadlab/units";
import { expect, it } from "vitest";
import { violatedConditions } from "./conditions.ts";
import type { NewRecord, SubSlotRecord } from "./journal-records.ts";
import { service, smallSettings, stamped, subSlot } from "./journals.test-helper.ts";

/** A run of one trial of 20 sub-slots on one server, of five devices. */
const run = {
  settings: {
    ...smallSettings,
    timeSlotCount: count(20 / smallSettings.subSlotsPerTimeSlot),
    communities: smallSettings.communities.slice(0, 1).map((each) => ({ ...each, deviceCount: count(5) })),
  },
  trials: [{ number: 1, policy: "edge", repetition: 1, seed: 1 }],
  laboratory: { learning: null, link: "theoretical", uplinkRateRatios: {} },
  hardware: "emulated",
} as const;
const subSlots = (changes: readonly Partial<SubSlotRecord>[] = []): NewRecord[] =>
  Array.from({ length: 20 }, (_, index) => subSlot({ subSlot: index, reported: 5, devices: 5, ...changes[index] }));
const violatedBy = (records: readonly NewRecord[]): string[] =>
  violatedConditions({ ...run, journals: new Map([["mec-1", stamped(records)]]) });
const violated = (...records: NewRecord[]): string[] => violatedBy([...subSlots(), ...records]);
const uploads = (count: number, errorRatio: number, trial = 1): NewRecord[] =>
  Array.from({ length: count }, () =>
    service("ed-1-1-0", { trial, theoreticalUploadSeconds: 0.1, uploadSeconds: 0.1 * (1 + errorRatio) }),
  );
const kept = { computeShare: 0.5, achievedComputeShare: 0.5 };

it("a run whose sub-slots, shares and uploads are kept violates nothing", () => {
  expect(violated(...uploads(19, 0.01), ...uploads(1, 0.5))).toEqual([]);
  expect(violated()).toEqual([]);
});

it("one device's sub-slot in a hundred may be missed, not more", () => {
  expect(violatedBy(subSlots([{ reported: 4 }]))).toEqual([]);
  expect(violatedBy(subSlots([{ reported: 4 }, { reported: 4 }])).join()).toContain(
    "2.0 % of the devices' sub-slots were not decided in time",
  );
});

it("a decision after its sub-slot's end is missed by all its devices, one within is by none", () => {
  const length = smallSettings.timeSlot / smallSettings.subSlotsPerTimeSlot;
  expect(violatedBy(subSlots([{ handedSeconds: length }]))).toEqual([]);
  expect(violatedBy(subSlots([{ handedSeconds: length + 0.001 }])).join()).toContain("5.0 % of the devices' sub-slots");
});

it("a sub-slot that nobody decided is missed by all devices, also where the record ends early or is none", () => {
  const all = subSlots();
  expect(violatedBy(all.filter((_, index) => index !== 7)).join()).toContain("5.0 % of the devices' sub-slots");
  expect(violatedBy(all.slice(0, 19)).join()).toContain("5.0 % of the devices' sub-slots");
  expect(violatedBy([]).join()).toContain("100.0 % of the devices' sub-slots");
});

it("devices that are done miss nothing", () => {
  const last = subSlot({ subSlot: 22, reported: 1, devices: 1 });
  // Sub-slots 20 and 21 are silent: of the one device that is left.
  expect(violatedBy([...subSlots(), last]).join()).toContain("1.9 % of the devices' sub-slots");
});

it("a median share error above 5 % violates it", () => {
  const missed = service("ed-1-1-0", {
    ...kept,
    achievedComputeShare: 0.47,
    theoreticalUploadSeconds: 0.1,
    uploadSeconds: 0.1,
  });
  expect(violated(missed).join()).toContain("compute shares were missed by 6.0 % in the median");
});

it("a median upload error above 5 % violates it, early or late", () => {
  expect(violated(...uploads(1, 0.06)).join()).toContain("missed its rate by 6.0 % in the median");
  expect(violated(...uploads(1, -0.06)).join()).toContain("missed its rate by 6.0 % in the median");
});

it("a 95th percentile above 20 % violates it, of 20 uploads or more", () => {
  const slow = [...uploads(18, 0.01), ...uploads(2, 0.25)];
  expect(violated(...slow).join()).toContain("missed its rate by 25.0 % in the 95th percentile");
  expect(violated(...slow.slice(1))).toEqual([]);
});

it("the warm-up counts for nothing", () => {
  expect(violated(subSlot({ trial: 0, reported: 0 }), ...uploads(30, 0.9, 0))).toEqual([]);
});

it("boards' uplinks may be as slow as they are", () => {
  const slow = new Map([["mec-1", stamped([...subSlots(), ...uploads(30, 1)])]]);
  expect(violatedConditions({ ...run, journals: slow }).join()).toContain(
    "the emulated uplink missed its rate by 100.0 %",
  );
  expect(violatedConditions({ ...run, hardware: "linux", journals: slow })).toEqual([]);
});
