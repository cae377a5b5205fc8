import { expect, it } from "vitest";
import { violatedConditions } from "./conditions.ts";
import type { NewRecord } from "./journal-records.ts";
import { action, service, stamped } from "./journals.test-helper.ts";

const violated = (...records: NewRecord[]): string[] => violatedConditions(new Map([["mec-1", stamped(records)]]));
const uploads = (count: number, errorRatio: number, trial = 1): NewRecord[] =>
  Array.from({ length: count }, () =>
    service("ed-1-1-0", { trial, theoreticalUploadSeconds: 0.1, uploadSeconds: 0.1 * (1 + errorRatio) }),
  );
const reports = (reported: number, trial = 1): NewRecord => action([], { trial, reported, devices: 100 });
const kept = { computeShare: 0.5, achievedComputeShare: 0.5 };

it("a run whose sub-slots, shares and uploads are kept violates nothing", () => {
  expect(violated(reports(99), ...uploads(19, 0.01), ...uploads(1, 0.5))).toEqual([]);
  expect(violated()).toEqual([]);
});

it("more than 1 % of missed reports violate it", () => {
  expect(violated(reports(98)).join()).toContain("2.0 % of the sub-slots were decided without a device's report");
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
  expect(violated(reports(0, 0), ...uploads(30, 0.9, 0))).toEqual([]);
});
