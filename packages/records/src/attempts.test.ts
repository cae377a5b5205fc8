import { expect, it } from "vitest";
import {
  abandonedText,
  abandonedTrials,
  attemptProblems,
  attemptsOf,
  countedJournals,
  endedTrials,
  tooManyAbandoned,
} from "./attempts.ts";
import type { NewRecord } from "./journal-records.ts";
import { outcome, stamped } from "./journals.test-helper.ts";
import type { Trial } from "./schedule.ts";

const scheduled: readonly Trial[] = [1, 2, 3, 4, 5].map((number) => ({
  number,
  policy: number % 2 === 0 ? "fair" : "pfr-oa",
  repetition: 1,
  seed: 7,
}));
const begin = (trial: number, repeats?: number): NewRecord => {
  const planned = scheduled.find(({ number }) => number === (repeats ?? trial));
  const { policy = "greedy", seed = 7 } = planned ?? {};
  const again = repeats === undefined ? {} : { repeats };
  return { kind: "trial", trial, policy, seed, startsAtUnixSeconds: 1, ...again };
};
const end = (trial: number): NewRecord => ({ kind: "trial-end", trial });
const abandon = (trial: number, reason = "mec-1 was restarted in the midst of it"): NewRecord => ({
  kind: "abandoned",
  trial,
  reason,
});
const whole = (trial: number, repeats?: number): NewRecord[] => [begin(trial, repeats), end(trial)];

/** A warm-up, two trials of which the second is repeated after another warm-up, and the rest. */
const disturbed: readonly NewRecord[] = [
  ...[...whole(0), ...whole(1), begin(2), abandon(2)],
  ...[...whole(6, 0), ...whole(7, 2), ...whole(3), ...whole(4), ...whole(5)],
];

it("a trial that was repeated counts once, by the number of the attempt that came to its end", () => {
  const attempts = attemptsOf(stamped(disturbed));
  expect(endedTrials(scheduled, attempts).map(({ number, policy }) => `${number} ${policy}`)).toEqual([
    ...["1 pfr-oa", "7 fair", "3 pfr-oa", "4 fair", "5 pfr-oa"],
  ]);
  const reason = "mec-1 was restarted in the midst of it";
  const abandoned = abandonedTrials(scheduled, attempts);
  expect(abandoned).toEqual([{ trial: 2, policy: "fair", reason, repeatedAs: 7 }]);
  expect(abandonedText(abandoned)).toEqual([`abandoned, repeated as trial 7: trial 2 (fair): ${reason}`]);
  expect(attemptProblems(scheduled, stamped(disturbed), true)).toEqual([]);
});

it("warm-ups and abandoned trials count for nothing", () => {
  const records = [0, 1, 2, 6, 7].map((trial) => outcome("ed-1-1-0", { trial }));
  const journals = new Map([
    ["cbs", stamped(disturbed)],
    ["ed-1-1", stamped(records)],
  ]);
  const counted = countedJournals(journals).get("ed-1-1") ?? [];
  expect(counted.map((record) => ("trial" in record ? record.trial : null))).toEqual([1, 7]);
});

it("one abandoned trial in five is borne, more are not", () => {
  const some = (count: number) => {
    const records = Array.from({ length: count }, (_, i) => [begin(10 + i, 2), abandon(10 + i)]).flat();
    return tooManyAbandoned(scheduled, abandonedTrials(scheduled, attemptsOf(stamped(records))));
  };
  expect(some(0)).toBeNull();
  expect(some(1)).toBeNull();
  expect(some(2)).toMatch(/^2 of 5 trials cut short, more than one in five/);
});

const without = (unwanted: NewRecord): NewRecord[] =>
  disturbed.filter((record) => JSON.stringify(record) !== JSON.stringify(unwanted));
const instead = (old: NewRecord, ...others: NewRecord[]): NewRecord[] =>
  disturbed.flatMap((record) => (JSON.stringify(record) === JSON.stringify(old) ? others : [record]));

it.each<[string, readonly NewRecord[], string]>([
  ["an abandoned trial has no reason", instead(abandon(2), abandon(2, "")), "without a reason"],
  [
    "an abandoned trial is never repeated",
    disturbed.filter((record) => !("trial" in record && record.trial === 7)),
    "trial 2 was abandoned and never repeated",
  ],
  ["a trial was cut short and nobody says so", without(abandon(2)), "neither come to its end nor been abandoned"],
  ["a trial that ended is repeated", instead(abandon(2), end(2)), "came to its end and was repeated all the same"],
  ["a trial ended and was abandoned", instead(abandon(2), end(2), abandon(2)), "came to its end and was abandoned"],
  ["a number is used twice", instead(begin(7, 2), begin(3)), "begun twice under one number"],
  ["a trial is none of the schedule", [...disturbed, ...whole(9)], "trial 9 is not scheduled"],
  [
    "a repetition has other arrivals",
    instead(begin(7, 2), { ...begin(7, 2), seed: 8 } as NewRecord),
    "other arrivals than trial 2",
  ],
])("refuses a complete run in which %s", (_what, records, problem) => {
  expect(attemptProblems(scheduled, stamped(records), true).join("\n")).toContain(problem);
});

it("a run that ended early may leave its last trial unrepeated", () => {
  expect(attemptProblems(scheduled, stamped([...whole(0), begin(1), abandon(1)]), false)).toEqual([]);
  expect(attemptProblems(scheduled, stamped([...whole(0), begin(1)]), false)).toEqual([]);
});
