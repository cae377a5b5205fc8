import { policyNames } from "@offloadlab/policies";
import fc from "fast-check";
import { expect, it } from "vitest";
import { trialSchedule } from "./schedule.ts";

const schedule = fc.record({
  policies: fc.subarray([...policyNames], { minLength: 1 }),
  repetitions: fc.integer({ min: 1, max: 30 }),
  seed: fc.nat(4_294_967_295),
});

it("every repetition runs each policy once, one after the other, numbered from 1", () => {
  fc.assert(
    fc.property(schedule, ({ policies, repetitions, seed }) => {
      const trials = trialSchedule(policies, repetitions, seed);
      expect(trials.map(({ number }) => number)).toEqual(
        Array.from({ length: policies.length * repetitions }, (_, i) => i + 1),
      );
      for (let repetition = 1; repetition <= repetitions; repetition += 1) {
        const own = trials.slice((repetition - 1) * policies.length, repetition * policies.length);
        expect(own.every((trial) => trial.repetition === repetition)).toBe(true);
        expect(own.map(({ policy }) => policy).sort()).toEqual([...policies].sort());
      }
    }),
  );
});

it("trials of one repetition have one seed, and different repetitions have different ones", () => {
  fc.assert(
    fc.property(schedule, ({ policies, repetitions, seed }) => {
      const seeds = new Map<number, Set<number>>();
      for (const trial of trialSchedule(policies, repetitions, seed)) {
        seeds.set(trial.repetition, (seeds.get(trial.repetition) ?? new Set()).add(trial.seed));
      }
      for (const own of seeds.values()) expect(own.size).toBe(1);
      expect(new Set([...seeds.values()].flatMap((own) => [...own])).size).toBe(repetitions);
    }),
  );
});

it("is the same for the same seed, and the first repetitions do not depend on how many follow", () => {
  fc.assert(
    fc.property(schedule, ({ policies, repetitions, seed }) => {
      const trials = trialSchedule(policies, repetitions, seed);
      expect(trialSchedule(policies, repetitions, seed)).toEqual(trials);
      expect(trialSchedule(policies, repetitions + 5, seed).slice(0, trials.length)).toEqual(trials);
    }),
  );
  expect(trialSchedule(policyNames, 10, 1)).not.toEqual(trialSchedule(policyNames, 10, 2));
});

it("a policy's workload does not depend on which others it is compared with", () => {
  const seeds = (policies: readonly (typeof policyNames)[number][]) =>
    trialSchedule(policies, 8, 3)
      .filter(({ policy }) => policy === "greedy")
      .map(({ seed }) => seed);
  expect(seeds(["greedy"])).toEqual(seeds(policyNames));
});

it("puts every policy in every place of a repetition about equally often", () => {
  const trials = trialSchedule(policyNames, 4000, 11);
  const places = new Map<string, number>();
  for (const { policy, number } of trials) {
    const key = `${policy} ${(number - 1) % policyNames.length}`;
    places.set(key, (places.get(key) ?? 0) + 1);
  }
  expect(places.size).toBe(policyNames.length ** 2);
  // Binomial with p = 1/4: four standard deviations are 110.
  for (const times of places.values()) expect(Math.abs(times - 1000)).toBeLessThan(130);
});
