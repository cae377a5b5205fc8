import fc from "fast-check";
import { expect, it } from "vitest";
import { Leases, type OpenLease } from "./leases.ts";

const terms = (task: string, bandwidthShare: number, computeShare: number) => ({
  task,
  bandwidthShare,
  computeShare,
  rateBitsPerSecond: 1e6,
  theoreticalUploadSeconds: 1,
  theoreticalExecutionSeconds: 1,
  expiresInSeconds: 2,
});

it("a lease holds bandwidth until its upload has ended and compute until it is released", () => {
  const leases = new Leases();
  const first = leases.grant("ed-1-1", terms("ed-1-1-0", 0.5, 0.25));
  const second = leases.grant("ed-1-2", terms("ed-1-2-0", 0.25, 0.5));
  expect([leases.size, leases.bandwidthInUse, leases.computeInUse]).toEqual([2, 0.75, 0.75]);
  first.state = "executing";
  expect([leases.bandwidthInUse, leases.computeInUse]).toEqual([0.25, 0.75]);
  expect(leases.release(first)).toBe(true);
  expect([leases.size, leases.bandwidthInUse, leases.computeInUse]).toEqual([1, 0.25, 0.5]);
  expect(leases.release(second)).toBe(true);
  expect([leases.size, leases.bandwidthInUse, leases.computeInUse]).toEqual([0, 0, 0]);
});

it("a lease is found by its id and by its device until it is released, which succeeds once", () => {
  const leases = new Leases();
  const open = leases.grant("ed-1-1", terms("ed-1-1-0", 0.5, 0.25));
  expect(open.lease).toEqual({ id: open.lease.id, ...terms("ed-1-1-0", 0.5, 0.25) });
  expect(leases.find(open.lease.id)).toBe(open);
  expect(leases.of("ed-1-1")).toBe(open);
  expect(leases.of("ed-1-2")).toBeUndefined();
  expect(leases.find("another")).toBeUndefined();
  expect(leases.release(open)).toBe(true);
  expect(leases.release(open)).toBe(false);
  expect(leases.find(open.lease.id)).toBeUndefined();
  expect(leases.of("ed-1-1")).toBeUndefined();
});

it("the shares in use are always those of the leases that are open, and 0 when none is", () => {
  const share = fc.double({ min: 0.01, max: 1, noNaN: true });
  const step = fc.record({
    does: fc.constantFrom("grant", "execute", "release"),
    which: fc.nat(),
    w: share,
    beta: share,
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const leases = new Leases();
      const open: OpenLease[] = [];
      const ids = new Set<string>();
      for (const [index, { does, which, w, beta }] of steps.entries()) {
        const chosen = open[which % Math.max(open.length, 1)];
        if (does === "grant") {
          const granted = leases.grant(`ed-1-${index}`, terms(`ed-1-${index}-0`, w, beta));
          open.push(granted);
          ids.add(granted.lease.id);
        } else if (chosen !== undefined && does === "execute") chosen.state = "executing";
        else if (chosen !== undefined) {
          leases.release(chosen);
          open.splice(open.indexOf(chosen), 1);
        }
        const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
        expect(leases.size).toBe(open.length);
        expect(leases.computeInUse).toBeCloseTo(sum(open.map(({ lease }) => lease.computeShare)), 12);
        const uploading = open.filter(({ state }) => state === "granted");
        expect(leases.bandwidthInUse).toBeCloseTo(sum(uploading.map(({ lease }) => lease.bandwidthShare)), 12);
      }
      expect(ids.size).toBe(steps.filter(({ does }) => does === "grant").length);
    }),
  );
});
