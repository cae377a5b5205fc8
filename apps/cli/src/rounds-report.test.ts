import type { RoundRecord } from "@offloadlab/simulation";
import { expect, it } from "vitest";
import { roundsText, summaryOfRounds } from "./rounds-report.ts";

const names = ["R1", "R2", "R3"];
/** Rounds with these participants; λ of every community in round r is r / 1000 for the actor, and 0 for the critic. */
const rounds = (participants: readonly (readonly number[])[]): RoundRecord[] =>
  participants.map((each, index) => ({
    round: index + 1,
    epoch: 10 * (index + 1),
    participants: each,
    proximalWeights: names.map(() => ({ actor: (index + 1) / 1000, critic: 0 })),
  }));

it("tells the mean and the largest λ of each network, over rounds and trainings", () => {
  const { proximalWeights } = summaryOfRounds(names, [
    rounds([
      [0, 1],
      [1, 2],
    ]),
    rounds([
      [0, 1],
      [0, 2],
      [0, 1],
    ]),
  ]);
  expect(proximalWeights["actor"]?.mean).toBeCloseTo(0.0018, 12);
  expect(proximalWeights["actor"]?.largest).toBe(0.003);
  expect(proximalWeights["critic"]).toEqual({ mean: 0, largest: 0 });
});

it("counts how often each community was selected, and in how many trainings it was starved", () => {
  const even = rounds([
    [0, 1],
    [1, 2],
    [0, 2],
    [0, 1],
    [1, 2],
    [0, 2],
  ]);
  const unfair = rounds(Array.from({ length: 12 }, () => [0, 1]));
  const summary = summaryOfRounds(names, [even, unfair]);
  expect(summary).toMatchObject({ trainings: 2, rounds: 18 });
  expect(summary.communities).toEqual([
    { name: "R1", selected: 16, starvedIn: 0 },
    { name: "R2", selected: 16, starvedIn: 0 },
    { name: "R3", selected: 4, starvedIn: 1 },
  ]);
  const text = roundsText(summary);
  expect(text).toMatch(/R3 +4 of 18 +in 1 of 2/);
  expect(text).toMatch(/R1 +16 of 18 +no/);
});
