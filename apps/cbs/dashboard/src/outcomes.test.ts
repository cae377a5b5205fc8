import fc from "fast-check";
import { expect, it } from "vitest";
import { outcomes, tally, tallyAll, tallyText } from "./outcomes.ts";
import { community, device } from "./sample.ts";

const mixed = device({ generated: 10, outcomes: { "completed-local": 4, "completed-edge": 3, late: 1 } });

it("counts what has not ended yet", () => {
  expect(tally(mixed).open).toBe(2);
});

it("takes an outcome nobody reports for none, and never goes below zero", () => {
  expect(tally(mixed).counts.get("lost")).toBe(0);
  expect(tally({ generated: 1, outcomes: { late: 2 } }).open).toBe(0);
});

it("adds the devices up: generated = ended + open", () => {
  const counts = fc.record(Object.fromEntries(outcomes.map(({ key }) => [key, fc.nat(50)])));
  fc.assert(
    fc.property(fc.array(fc.tuple(counts, fc.nat(9)), { maxLength: 6 }), (rows) => {
      const devices = rows.map(([ended, open]) =>
        device({ generated: Object.values(ended).reduce((a, b) => a + b, 0) + open, outcomes: ended }),
      );
      const all = tallyAll([community({ devices })]);
      expect([...all.counts.values()].reduce((a, b) => a + b, 0) + all.open).toBe(all.generated);
    }),
  );
});

it("says the bar in words and leaves out what did not happen", () => {
  expect(tallyText(tally(mixed))).toBe("10 generated, 4 completed local, 3 completed edge, 1 late, 2 not ended");
});
