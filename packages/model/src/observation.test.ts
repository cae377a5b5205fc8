import { count } from "@offloadlab/units";
import { expect, it } from "vitest";
import { emptyObservation } from "./observation.ts";

it("Eq. (17) has an entry for every device, and all of B and F free", () => {
  const { deviceCount, bandwidthInUse, computeInUse, ...arrays } = emptyObservation(count(13));
  expect(deviceCount).toBe(13);
  expect([bandwidthInUse, computeInUse]).toEqual([0, 0]);
  for (const array of Object.values(arrays)) expect([...array]).toEqual(Array(13).fill(0));
});

it("Eq. (17) gives every observation arrays of its own", () => {
  const first = emptyObservation(count(2));
  first.charge[0] = 120;
  expect(emptyObservation(count(2)).charge[0]).toBe(0);
});
