import fc from "fast-check";
import { expect, it } from "vitest";
import { meanRequestsPerUser, relativeActivity, requestsPerUser } from "./c-esp.ts";

/** Levels as a random stream draws them, in steps of 2^-53. */
const step = 2 ** -53;
const level = fc.maxSafeNat().map((steps) => steps * step);

/** Requests of the users above a level, per user of all. Steps are fine enough, and end at the quantiles. */
const requestsAbove = (start: number): number => {
  const steps = 200_000;
  let sum = 0;
  for (let i = Math.round(start * steps); i < steps; i++) sum += requestsPerUser((i + 0.5) / steps);
  return sum / steps;
};

it.each([
  [0, 1],
  [0.25, 6],
  [0.5, 40],
  [0.75, 121],
  [0.9, 276],
  [0.99, 705],
  [1, 7806],
])("C-ESP: the user at level %d makes %d requests", (at, requests) => {
  expect(requestsPerUser(at)).toBe(requests);
});

it("C-ESP: a user makes 105.6 requests in the mean", () => {
  expect(requestsAbove(0)).toBeCloseTo(meanRequestsPerUser, 3);
  expect(10_159_851 / 96_209).toBeCloseTo(meanRequestsPerUser, 1);
});

it("C-ESP: the busiest 1 % of users make 24 % of the requests, the busiest 10 % 68 %", () => {
  expect(requestsAbove(0.99) / meanRequestsPerUser).toBeCloseTo(0.24, 4);
  expect(requestsAbove(0.9) / meanRequestsPerUser).toBeCloseTo(0.68, 4);
});

it("a higher level never makes fewer requests", () => {
  fc.assert(
    fc.property(level, level, (a, b) => {
      expect(requestsPerUser(Math.min(a, b))).toBeLessThanOrEqual(requestsPerUser(Math.max(a, b)));
    }),
  );
  fc.assert(fc.property(level, (a) => requestsPerUser(a) <= requestsPerUser(a + step)));
  const ends = [0.25, 0.5, 0.75, 0.9, 0.99];
  for (const end of ends) expect(requestsPerUser(end)).toBeLessThanOrEqual(requestsPerUser(end + step));
});

it("requests stay between 1 and 7,806", () => {
  fc.assert(
    fc.property(level, (at) => {
      expect(requestsPerUser(at)).toBeGreaterThanOrEqual(1);
      expect(requestsPerUser(at)).toBeLessThanOrEqual(7806);
    }),
    { examples: [[5e-324], [0.25 + step], [1 - step]] },
  );
});

it("activity is 1 in the mean over the users, and lower for nearly three users in four", () => {
  expect(requestsAbove(0) * (relativeActivity(1) / requestsPerUser(1))).toBeCloseTo(1, 5);
  expect(relativeActivity(0.5)).toBe(40 / 105.6);
  expect(relativeActivity(0.7)).toBeLessThan(1);
  expect(relativeActivity(0.75)).toBeGreaterThan(1);
});

it("these never change, or recorded runs could not be repeated", () => {
  expect([0.1, 0.3, 0.6, 0.8, 0.95, 0.999].map(requestsPerUser)).toMatchInlineSnapshot(`
    [
      1.0847902704182177,
      6.218531356164461,
      41.373602380775125,
      122.9797670363424,
      551.5199697644769,
      5328.208071924961,
    ]
  `);
});

it.each([-1e-9, 1 + 1e-9, Number.NaN, Number.POSITIVE_INFINITY])("there is no user at level %d", (at) => {
  expect(() => requestsPerUser(at)).toThrow(`Expected a level in [0, 1], got ${at}`);
});
