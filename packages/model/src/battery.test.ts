import { joules, seconds } from "@offloadlab/units";
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  chargeAfterEdgeFailure,
  chargeAfterEdgeSuccess,
  chargeAfterLocalFailure,
  chargeAfterLocalSuccess,
  chargeAfterUploadFailure,
  chargeWhenIdle,
  edgeDrain,
  nextCharge,
  paidDrain,
  storedHarvest,
  uploadDrain,
} from "./battery.ts";
import { isClose } from "./dimension.test-helper.ts";

const capacity = joules(120);
const harvested = joules(40);
const charge = fc.double({ min: 0, max: 120, noNaN: true }).map(joules);
const energy = fc.double({ min: 0, max: 300, noNaN: true }).map(joules);
const duration = fc.double({ min: 0, max: 5, noNaN: true }).map(seconds);
const inBattery = (b: number) => b >= 0 && b <= capacity;

it("Eq. (8) harvests up to the capacity", () => {
  expect(chargeWhenIdle(joules(50), harvested, capacity)).toBe(90);
  expect(chargeWhenIdle(joules(100), harvested, capacity)).toBe(120);
});

it("Eq. (9) pays for the task out of charge and harvest", () => {
  expect(chargeAfterLocalSuccess(joules(50), harvested, joules(10), capacity)).toBe(80);
  expect(chargeAfterLocalSuccess(joules(5), harvested, joules(60), capacity)).toBe(0);
  expect(chargeAfterLocalSuccess(joules(115), harvested, joules(10), capacity)).toBe(120);
});

it("Eq. (10) drains as Eq. (9) does", () => {
  expect(chargeAfterLocalFailure(joules(50), harvested, joules(10), capacity)).toBe(80);
  fc.assert(
    fc.property(
      charge,
      energy,
      (b, e) =>
        chargeAfterLocalFailure(b, harvested, e, capacity) === chargeAfterLocalSuccess(b, harvested, e, capacity),
    ),
  );
});

it("Eq. (11) pays for the upload and the server", () => {
  expect(chargeAfterEdgeSuccess(joules(60), harvested, joules(11.5), joules(71.5), capacity)).toBe(17);
});

it("Eq. (12) pays for the part of the upload that fitted the sub-slot", () => {
  // 0.25 s of a 1 s upload of 20 J: 5 J.
  expect(chargeAfterUploadFailure(joules(50), harvested, joules(20), seconds(1), seconds(0.25), capacity)).toBe(85);
});

it("Eq. (12) pays for the upload once, however short", () => {
  expect(chargeAfterUploadFailure(joules(50), harvested, joules(20), seconds(0.1), seconds(0.25), capacity)).toBe(70);
});

it("Eq. (13) pays for the upload and the part of the execution that fitted the sub-slot", () => {
  // 0.05 s of upload, then 0.2 s of a 0.4 s execution of 40 J: 10 J + 20 J.
  const next = chargeAfterEdgeFailure(
    joules(50),
    harvested,
    joules(10),
    seconds(0.05),
    joules(40),
    seconds(0.4),
    seconds(0.25),
    capacity,
  );
  expect(next).toBeCloseTo(60, 9);
});

it("Eq. (13) never charges the battery when the sub-slot is shorter than the upload", () => {
  fc.assert(
    fc.property(energy, duration, energy, duration, duration, (upload, uploading, edge, executing, elapsed) => {
      const drain = edgeDrain(upload, uploading, edge, executing, elapsed);
      return drain >= 0 && drain <= upload + edge + 1e-9;
    }),
    // An execution without a duration, before it starts: 0 / 0.
    { examples: [[joules(0), seconds(5e-324), joules(0), seconds(0), seconds(0)]] },
  );
});

it("Eq. (13) pays as Eq. (11) does when all of the task fits, as Eq. (12) when only its upload does", () => {
  fc.assert(
    fc.property(energy, duration, energy, duration, (upload, uploading, edge, executing) => {
      const end = seconds(uploading + executing + 1);
      return isClose(edgeDrain(upload, uploading, edge, executing, end), upload + edge);
    }),
  );
  expect(edgeDrain(joules(8), seconds(2), joules(40), seconds(1), seconds(1))).toBe(
    uploadDrain(joules(8), seconds(2), seconds(1)),
  );
});

it("charge stays within [0, b_max] whatever happens: Eqs. (8) to (13)", () => {
  fc.assert(
    fc.property(
      charge,
      energy,
      energy,
      energy,
      duration,
      duration,
      duration,
      (b, e, upload, edge, uploading, executing, t) =>
        inBattery(chargeWhenIdle(b, e, capacity)) &&
        inBattery(chargeAfterLocalSuccess(b, e, upload, capacity)) &&
        inBattery(chargeAfterLocalFailure(b, e, upload, capacity)) &&
        inBattery(chargeAfterEdgeSuccess(b, e, upload, edge, capacity)) &&
        inBattery(chargeAfterUploadFailure(b, e, upload, uploading, t, capacity)) &&
        inBattery(chargeAfterEdgeFailure(b, e, upload, uploading, edge, executing, t, capacity)),
    ),
  );
});

it("what was stored less what was paid is the change of the charge", () => {
  fc.assert(
    fc.property(charge, energy, energy, (b, e, drain) => {
      const stored = storedHarvest(b, e, drain, capacity);
      const paid = paidDrain(b, e, drain);
      const change = nextCharge(b, e, drain, capacity) - b;
      return Math.abs(stored - paid - change) < 1e-9 && stored >= 0 && stored <= e && paid <= drain;
    }),
  );
});
