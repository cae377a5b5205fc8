import { seconds } from "@offloadlab/units";
import fc from "fast-check";
import { expect, it } from "vitest";
import { isWorthALease, leaseTime, longestLease } from "./lease-time.ts";

it("of a deadline of 1.5 s, 6 s of theory are worth a lease of 13.5 s, and more none", () => {
  const deadline = seconds(1.5);
  expect(isWorthALease(seconds(6), deadline)).toBe(true);
  expect(leaseTime(seconds(6), deadline)).toBe(13.5);
  expect(isWorthALease(seconds(6.001), deadline)).toBe(false);
  for (const nothing of [Number.POSITIVE_INFINITY, Number.NaN]) {
    expect(isWorthALease(nothing as ReturnType<typeof seconds>, deadline)).toBe(false);
  }
});

it("no lease lasts longer than a trial waits for, and each lets a link of half the rate end", () => {
  const positive = fc.double({ min: 1e-3, max: 1e3, noNaN: true });
  fc.assert(
    fc.property(positive, positive, (theory, deadline) => {
      const length = leaseTime(seconds(theory), seconds(deadline));
      expect(length).toBeGreaterThan(2 * theory);
      if (isWorthALease(seconds(theory), seconds(deadline))) {
        expect(length).toBeLessThanOrEqual(longestLease(seconds(deadline)));
      }
    }),
  );
});
