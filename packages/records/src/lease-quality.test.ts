import fc from "fast-check";
import { expect, it } from "vitest";
import { service, stamped } from "./journals.test-helper.ts";
import { leaseQuality, quantile } from "./lease-quality.ts";

it("errors are relative, of either sign, and over the services of all servers", () => {
  const quality = leaseQuality(
    new Map([
      [
        "mec-1",
        stamped([
          service("a", { uploadSeconds: 0.22, achievedComputeShare: 0.5 }),
          service("b", { uploadSeconds: 0.15, achievedComputeShare: 0.375 }),
        ]),
      ],
      ["mec-2", stamped([service("c", { uploadSeconds: 0.2, achievedComputeShare: 0.625 })])],
      ["ed-1-1", stamped([{ kind: "trial-end", trial: 1 }])],
    ]),
  );
  // Uploads: 10 %, 25 % and 0; shares: 0, 25 % and 25 %.
  expect(quality.uploads).toBe(3);
  expect(quality.medianRatio).toBeCloseTo(0.1, 12);
  expect(quality.p95Ratio).toBeCloseTo(0.25, 12);
  expect([quality.shareMedianRatio, quality.shareP95Ratio]).toEqual([0.25, 0.25]);
});

it("there are no errors without services", () => {
  const nothing = {
    medianRatio: Number.NaN,
    p95Ratio: Number.NaN,
    shareMedianRatio: Number.NaN,
    shareP95Ratio: Number.NaN,
  };
  expect(leaseQuality(new Map())).toEqual({ tasks: 0, uploads: 0, ...nothing });
});

it("a quantile is the smallest value with its share of the values at or below it", () => {
  const values = fc.array(fc.integer(), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 100 }), (all, percent) => {
      const atOrBelow = (limit: number) => all.filter((value) => value <= limit).length / all.length;
      const found = quantile(all, percent / 100);
      expect(all).toContain(found);
      expect(atOrBelow(found)).toBeGreaterThanOrEqual(percent / 100 - 1e-12);
      const smaller = all.filter((value) => value < found);
      if (smaller.length > 0) expect(atOrBelow(Math.max(...smaller))).toBeLessThan(percent / 100);
    }),
  );
  expect(quantile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 0.95)).toBe(10);
});

it("an upload that takes a few grains of a timer is a task, but not judged", () => {
  const short = service("ed-1-1-0", { theoreticalUploadSeconds: 0.002, uploadSeconds: 0.004 });
  const quality = leaseQuality(new Map([["mec-1", stamped([short])]]));
  expect([quality.tasks, quality.uploads]).toEqual([1, 0]);
  expect(quality.medianRatio).toBeNaN();
});
