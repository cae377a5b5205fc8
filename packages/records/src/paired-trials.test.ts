import { outcomes } from "@offloadlab/model";
import { expect, it } from "vitest";
import { pairedDifferences } from "./paired-differences.ts";
import { pairedTrials } from "./paired-trials.ts";
import type { TrialSums } from "./results.ts";
import { trialSchedule } from "./schedule.ts";

const policies = ["greedy", "fair", "mine", "local"];
const trials = trialSchedule(policies, 4, 1);

/** Arrivals cost as much energy as their repetition says; a policy adds its own. */
const sums: TrialSums[] = trials.map(({ number, policy, repetition }) => ({
  trial: number,
  policy,
  community: "R1",
  tasks: 10,
  outcomes: { ...zero(), "completed-local": 10 },
  reward: 0,
  energyJoules: 1000 * repetition + 10 * policies.indexOf(policy),
  waitingSeconds: 0,
}));

function zero() {
  return Object.fromEntries(outcomes.map((outcome) => [outcome, 0])) as TrialSums["outcomes"];
}

it("pairs the interleaved trials of a run by their repetition, in the usual order of policies", () => {
  const rows = pairedDifferences(pairedTrials(trials, sums)).filter(({ community }) => community === "all");
  const pairs = rows.map(({ policy, other, energyJoules: { mean, n } }) => `${policy} - ${other}: ${mean}, ${n}`);
  expect(pairs).toEqual([
    "local - greedy: 3, 4",
    "local - fair: 2, 4",
    "local - mine: 1, 4",
    "greedy - fair: -1, 4",
    "greedy - mine: -2, 4",
    "fair - mine: -1, 4",
  ]);
});

it("leaves out the repetition in which a run was stopped", () => {
  const ended = trials.slice(0, -1);
  const kept = pairedTrials(ended, sums);
  expect(new Set(kept.map(({ repetition }) => repetition))).toEqual(new Set([1, 2, 3]));
  expect(pairedDifferences(kept)[0]?.energyJoules.n).toBe(3);
  expect(pairedTrials([], [])).toEqual([]);
});
