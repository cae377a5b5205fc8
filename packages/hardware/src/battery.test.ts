import { joules } from "@offloadlab/units";
import fc from "fast-check";
import { expect, it } from "vitest";
import { EmulatedBattery } from "./battery.ts";

const amount = fc.double({ min: 0, max: 200, noNaN: true }).map((value) => Math.round(value * 1e6) / 1e6);
const step = fc.oneof(
  amount.map((energy) => ({ does: "spend", energy }) as const),
  amount.map((energy) => ({ does: "refund", energy }) as const),
  fc.constant({ does: "empty" } as const),
  fc.constant({ does: "end" } as const),
);
const world = fc.record({
  capacity: fc.double({ min: 1, max: 200, noNaN: true }),
  harvest: fc.double({ min: 0, max: 100, noNaN: true }),
  steps: fc.array(step, { maxLength: 60 }),
});

it("Eqs. (8) to (13): the charge stays in [0, b_max], whatever is spent, refunded or emptied", () => {
  fc.assert(
    fc.property(world, ({ capacity, harvest, steps }) => {
      const battery = new EmulatedBattery(joules(capacity), joules(harvest));
      for (const each of steps) {
        if (each.does === "spend") battery.spend(joules(each.energy));
        if (each.does === "refund") battery.spend(joules(-each.energy));
        if (each.does === "empty") battery.empty();
        const ledger = each.does === "end" ? battery.endSubSlot() : undefined;
        for (const charge of [battery.charge, ledger?.charge ?? 0]) {
          expect(charge).toBeGreaterThanOrEqual(0);
          expect(charge).toBeLessThanOrEqual(capacity);
        }
        if (ledger !== undefined) expect(battery.charge).toBe(ledger.charge);
      }
    }),
  );
});

it("the ledger conserves energy: the charge changes by what was harvested less what was drained", () => {
  fc.assert(
    fc.property(world, ({ capacity, harvest, steps }) => {
      const battery = new EmulatedBattery(joules(capacity), joules(harvest));
      let charge = capacity;
      for (const each of [...steps, { does: "end" } as const]) {
        if (each.does === "spend") battery.spend(joules(each.energy));
        if (each.does === "refund") battery.spend(joules(-each.energy));
        if (each.does === "empty") battery.empty();
        if (each.does !== "end") continue;
        const ledger = battery.endSubSlot();
        expect(ledger.harvested).toBeGreaterThanOrEqual(-1e-9);
        expect(ledger.harvested).toBeLessThanOrEqual(harvest + 1e-9);
        expect(Math.abs(ledger.charge - charge - (ledger.harvested - ledger.drained))).toBeLessThan(1e-9);
        charge = ledger.charge;
      }
    }),
  );
});

it("is full at first, pays what is spent and harvests at the end of the sub-slot", () => {
  const battery = new EmulatedBattery(joules(120), joules(40));
  expect(battery.charge).toBe(120);
  battery.spend(joules(70));
  expect(battery.charge).toBe(50);
  expect(battery.endSubSlot()).toEqual({ charge: 90, drained: 70, harvested: 40 });
  battery.spend(joules(15));
  expect(battery.endSubSlot()).toEqual({ charge: 115, drained: 15, harvested: 40 });
  // A full battery takes no more.
  expect(battery.endSubSlot()).toEqual({ charge: 120, drained: 0, harvested: 5 });
  expect(battery.endSubSlot()).toEqual({ charge: 120, drained: 0, harvested: 0 });
});

it("gives back what was booked too much, in the same sub-slot or in a later one", () => {
  const battery = new EmulatedBattery(joules(120), joules(0));
  battery.spend(joules(60));
  battery.spend(joules(-20));
  expect(battery.endSubSlot()).toEqual({ charge: 80, drained: 40, harvested: 0 });
  battery.spend(joules(-30));
  expect(battery.charge).toBe(110);
  expect(battery.endSubSlot()).toEqual({ charge: 110, drained: -30, harvested: 0 });
});

it("a refund to a full battery does not fill it beyond its capacity", () => {
  const battery = new EmulatedBattery(joules(120), joules(40));
  battery.spend(joules(-5));
  expect(battery.charge).toBe(120);
  expect(battery.endSubSlot()).toEqual({ charge: 120, drained: 0, harvested: 0 });
});

it("§III-C: a task that asks for more than there is leaves nothing in this sub-slot, and the harvest after it", () => {
  const battery = new EmulatedBattery(joules(120), joules(40));
  battery.spend(joules(50));
  battery.empty();
  expect(battery.charge).toBe(0);
  expect(battery.endSubSlot()).toEqual({ charge: 40, drained: 120, harvested: 40 });
  battery.spend(joules(300));
  expect(battery.charge).toBe(0);
  // It pays with what it has and what it harvests, and no more.
  expect(battery.endSubSlot()).toEqual({ charge: 0, drained: 80, harvested: 40 });
});

it("§III-C: what is given back to an emptied battery is there again when the sub-slot has ended, not before", () => {
  const battery = new EmulatedBattery(joules(120), joules(40));
  battery.spend(joules(60));
  battery.empty();
  battery.spend(joules(-25));
  expect(battery.charge).toBe(0);
  expect(battery.endSubSlot()).toEqual({ charge: 65, drained: 95, harvested: 40 });
  battery.spend(joules(5));
  battery.spend(joules(-5));
  expect(battery.charge).toBe(65);
});
