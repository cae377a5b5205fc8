import { expect, it } from "vitest";
import { chargeRange, rewardRange, sizeRange } from "./plot-range.ts";

it("keeps zero on the reward's axis", () => {
  expect(rewardRange(null, null)).toEqual([-1, 0]);
  expect(rewardRange(-100, -20)).toEqual([-108, 0]);
  expect(rewardRange(-50, 50)).toEqual([-58, 58]);
});

it("shows charge from empty to full", () => {
  expect(chargeRange(100)(20, 60)).toEqual([0, 104]);
  expect(chargeRange(100)(20, 200)).toEqual([0, 208]);
  expect(chargeRange(0)(null, null)).toEqual([0, 1.04]);
});

it("the axis of a size begins at zero and leaves room above", () => {
  expect(sizeRange(3, 10)).toEqual([0, 10.8]);
  expect(sizeRange(0, 0)).toEqual([0, 1]);
  expect(sizeRange(null, null)).toEqual([0, 1]);
});
