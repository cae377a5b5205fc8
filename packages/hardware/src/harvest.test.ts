import { joules } from "@offloadlab/units";
import { expect, it } from "vitest";
import { energyOf, playBoard } from "./energy/played-board.test-helper.ts";
import { emulatedHarvest, measuredHarvest } from "./harvest.ts";

const steps = [
  { from: -1, power: 0.5 },
  { from: 3.1, power: 2 },
  { from: 3.6, power: 0 },
  { from: 5, power: 1 },
];
const receiver = { steps, gain: 1, gainError: 0.01, seed: 5 };

it("an emulated harvest is the same in every sub-slot", () => {
  const harvest = emulatedHarvest(joules(4));
  expect([harvest.source, harvest.next(), harvest.next()]).toEqual([
    "emulated",
    { energy: 4, coverage: 1 },
    { energy: 4, coverage: 1 },
  ]);
});

it.each([
  [1, "measured"],
  [1000, "scaled"],
  // As configured, also where the factor changes nothing: the archive says the same.
  [1, "scaled"],
] as const)("sub-slots add up to what came in, times %i, and it is said to be %s", (factor, source) =>
  playBoard(receiver, async ({ recorder, at }) => {
    await at(1);
    const from = recorder.trace.end;
    const harvest = measuredHarvest(recorder, source, factor);
    const start = Math.max(from, recorder.clock.now());
    let sum = 0;
    for (let end = 1.25; end <= 8; end += 0.25) {
      await at(end);
      const { energy, coverage } = harvest.next();
      expect(coverage).toBe(1);
      sum += energy;
    }
    expect(sum / factor / energyOf(steps, start, recorder.trace.end)).toBeCloseTo(1, 1);
    expect(harvest.source).toBe(source);
  }),
);

it("what was not seen was not harvested", () =>
  playBoard(receiver, async ({ recorder, tree, folder, at }) => {
    await at(5.5);
    const harvest = measuredHarvest(recorder, "measured", 1);
    tree.breakFile(`${folder}/in1_input`);
    await at(5.8);
    harvest.next();
    await at(7.5);
    expect(harvest.next()).toEqual({ energy: 0, coverage: 0 });
    tree.remove(`${folder}/in1_input`);
    tree.write({ [`${folder}/in1_input`]: 5088 });
    await at(9.5);
    // One second or so of the two was seen since the receiver answered again: 1 W.
    const { energy, coverage } = harvest.next();
    expect(energy).toBeGreaterThan(1.8);
    expect(energy).toBeLessThan(2.1);
    expect(coverage).toBeLessThan(0.6);
  }));
