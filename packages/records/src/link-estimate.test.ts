import { randomStream } from "@offloadlab/model";
import { expect, it } from "vitest";
import { linkEstimate, linkMemory, rateCorrection, type TimedUpload } from "./link-estimate.ts";

/** Uploads of 0.1 to 0.3 s at a rate, timed with an error of some milliseconds. */
const uploadsAt = (rateRatio: number, count: number, seed = 1, errorSeconds = 0.005): TimedUpload[] => {
  const random = randomStream(seed, "uploads");
  return Array.from({ length: count }, () => {
    const theoreticalUploadSeconds = random.uniform(0.1, 0.3);
    // Uniform with the deviation that is asked for.
    const error = random.uniform(-1, 1) * Math.sqrt(3) * errorSeconds;
    return { theoreticalUploadSeconds, uploadSeconds: theoreticalUploadSeconds / rateRatio + error };
  });
};

it("finds the rate of uploads without errors, to its last digit and without doubt", () => {
  const estimate = linkEstimate(uploadsAt(0.5, 10, 1, 0));
  expect(estimate?.rateRatio).toBeCloseTo(0.5, 12);
  expect(estimate?.uncertaintyRatio).toBeCloseTo(0, 9);
  expect(linkEstimate([])).toBeUndefined();
  expect(linkEstimate(uploadsAt(0.5, 1))).toMatchObject({ uncertaintyRatio: null, uploads: 1 });
});

it.each([3, 10, 30])("its interval over %i uploads holds the true rate 95 times in 100", (count) => {
  const tries = 1500;
  let held = 0;
  for (let seed = 1; seed <= tries; seed++) {
    const { rateRatio, uncertaintyRatio } = linkEstimate(uploadsAt(0.7, count, seed)) ?? expect.fail();
    if (Math.abs(rateRatio - 0.7) <= (uncertaintyRatio as number)) held++;
  }
  // ± 3 deviations of a share of 0.95 over so many tries; uniform errors and few uploads cost a little more.
  expect(held / tries).toBeGreaterThan(0.925);
  expect(held / tries).toBeLessThan(0.97);
});

it("forgets: after a change only the new rate counts", () => {
  const changed = [...uploadsAt(1, 50), ...uploadsAt(0.5, linkMemory, 2)];
  expect(linkEstimate(changed)?.rateRatio).toBeCloseTo(0.5, 2);
});

it("corrects nothing as long as the theory may hold, and nothing negligible", () => {
  expect(rateCorrection(undefined)).toBe(1);
  expect(rateCorrection(linkEstimate(uploadsAt(0.5, 4)))).toBe(1);
  expect(rateCorrection(linkEstimate(uploadsAt(0.97, 30, 1, 0)))).toBe(1);
  expect(rateCorrection(linkEstimate(uploadsAt(0.5, 6)))).toBeCloseTo(0.5, 1);
});

it("seldom corrects a link that keeps to the theory, however noisy: as often as its interval misses", () => {
  const tries = 1000;
  let corrected = 0;
  for (let seed = 1; seed <= tries; seed++)
    if (rateCorrection(linkEstimate(uploadsAt(1, 8, seed, 0.05))) !== 1) corrected++;
  expect(corrected / tries).toBeLessThan(0.08);
});
