import { outcomes, randomStream } from "@offloadlab/model";
import { expect, it } from "vitest";
import { falseAlarms, falseAlarmTable } from "./false-alarms.ts";
import type { PairedSums } from "./paired-differences.ts";

const counts = Object.fromEntries(outcomes.map((outcome) => [outcome, 0])) as PairedSums["outcomes"];
const random = randomStream(9, "false alarms");
const normal = (): number => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());

/** Trials with energies as they are asked for, and noise. */
const trials = (count: number, energy: (repetition: number) => number): PairedSums[] =>
  Array.from({ length: count }, (_, index) => ({
    policy: "fair",
    repetition: index + 1,
    community: "R1",
    tasks: 10,
    outcomes: { ...counts, "completed-edge": 10 },
    reward: normal(),
    energyJoules: energy(index + 1),
    waitingSeconds: normal(),
  }));

const of = (metric: string, alarms: ReturnType<typeof falseAlarms>) => alarms.find((each) => each.metric === metric);

it("rings in one of twenty comparisons of the same with itself, and the bootstrap band of five pairs oftener", () => {
  const alarms = falseAlarms(trials(6000, normal), 5, 1);
  expect(alarms.map(({ metric }) => metric)).toEqual([
    "successRatio",
    "energyJoules",
    "waitingSeconds",
    "rewardPerTask",
  ]);
  for (const metric of ["energyJoules", "waitingSeconds", "rewardPerTask"]) {
    const own = of(metric, alarms);
    expect(own?.test.n).toBe(600);
    expect(own?.test.interval[0]).toBeLessThan(0.05);
    expect(own?.test.interval[1]).toBeGreaterThan(0.05);
    expect(own?.bootstrap.interval[0]).toBeGreaterThan(0.05);
  }
  expect(of("successRatio", alarms)?.test.count).toBe(0);
});

it("does not take a drift of the machine for a difference, which an order without coins would", () => {
  const drifting = trials(4000, (repetition) => repetition + 0.01 * normal());
  const own = of("energyJoules", falseAlarms(drifting, 10, 1));
  expect(own?.test.interval[1]).toBeLessThan(0.12);
});

it("says how often, of how many, and refuses too few trials", () => {
  const text = falseAlarmTable("fair", falseAlarms(trials(60, normal), 3, 1), 3);
  expect(text).toMatch(/^energy per task \[J\] +\d+\.0 % \[\d+\.\d %, \d+\.\d %\] +no band below 5 pairs$/m);
  expect(text).toContain("false alarms in 10 comparisons of 3 pairs with independent arrivals");
  const five = falseAlarmTable("fair", falseAlarms(trials(60, normal), 5, 1), 5);
  expect(five).toMatch(/^energy per task \[J\] +\d+\.\d % \[.*\] +\d+\.\d % \[\d+\.\d %, \d+\.\d %\]$/m);
  expect(() => falseAlarms(trials(5, normal), 3, 1)).toThrow("at least 6 trials for 3 pairs, got 5");
});
