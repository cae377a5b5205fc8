import { expect, it } from "vitest";
import type { NewRecord } from "./journal-records.ts";
import { generated, outcome, smallSettings, stamped } from "./journals.test-helper.ts";
import { taskFates } from "./reconcile.ts";
import { resultRows, trialSums } from "./results.ts";
import type { Trial } from "./schedule.ts";

const trial = (number: number, policy: "local" | "edge"): Trial => ({ number, policy, repetition: 1, seed: 1 });
const fatesOf = (...records: NewRecord[]) => taskFates(new Map([["ed", stamped(records)]]));

it("sums rewards, energy and waiting over the tasks of each trial and community", () => {
  const fates = fatesOf(
    outcome("ed-1-1-0", { reward: -1, energyJoules: 10, waitingSeconds: 0.5 }),
    outcome("ed-1-2-0", { reward: -10, energyJoules: 4, waitingSeconds: 1, outcome: "late" }),
    outcome("ed-2-1-0", { reward: -2, energyJoules: 6, waitingSeconds: 0, outcome: "completed-edge" }),
    outcome("ed-2-1-0", { trial: 2, reward: -3, energyJoules: 1, waitingSeconds: 2 }),
  );
  const none = { "completed-local": 0, "completed-edge": 0, late: 0, drained: 0, expired: 0, lost: 0 };
  expect(trialSums(smallSettings, [trial(1, "local"), trial(2, "edge")], fates)).toEqual([
    {
      trial: 1,
      policy: "local",
      community: "community-1",
      tasks: 2,
      outcomes: { ...none, "completed-local": 1, late: 1 },
      reward: -11,
      energyJoules: 14,
      waitingSeconds: 1.5,
    },
    {
      trial: 1,
      policy: "local",
      community: "community-2",
      tasks: 1,
      outcomes: { ...none, "completed-edge": 1 },
      reward: -2,
      energyJoules: 6,
      waitingSeconds: 0,
    },
    {
      trial: 2,
      policy: "edge",
      community: "community-1",
      tasks: 0,
      outcomes: none,
      reward: 0,
      energyJoules: 0,
      waitingSeconds: 0,
    },
    {
      trial: 2,
      policy: "edge",
      community: "community-2",
      tasks: 1,
      outcomes: { ...none, "completed-local": 1 },
      reward: -3,
      energyJoules: 1,
      waitingSeconds: 2,
    },
  ]);
});

it("Eq. (19): a task without an end is lost and costs its community's q_p", () => {
  const [first, second] = trialSums(
    smallSettings,
    [trial(1, "local")],
    fatesOf(generated("ed-1-1-0"), generated("ed-2-1-0")),
  );
  expect([first?.outcomes.lost, first?.reward, first?.energyJoules]).toEqual([1, -10, 0]);
  expect([second?.outcomes.lost, second?.reward]).toEqual([1, -15]);
});

it("leaves out trials that are not asked for", () => {
  const fates = fatesOf(outcome("ed-1-1-0"), outcome("ed-1-1-0", { trial: 2 }));
  expect(trialSums(smallSettings, [trial(2, "local")], fates).map((sums) => sums.tasks)).toEqual([1, 0]);
});

it("a row is the mean per task over trials, each trial counting alike, with its interval", () => {
  const fates = fatesOf(
    // Trial 1: three tasks, -1 each in the mean; one of them fails.
    outcome("ed-1-1-0", { reward: -0.5, energyJoules: 3, waitingSeconds: 0 }),
    outcome("ed-1-2-0", { reward: -0.5, energyJoules: 3, waitingSeconds: 0 }),
    outcome("ed-2-1-0", { reward: -2, energyJoules: 6, waitingSeconds: 3, outcome: "expired" }),
    // Trial 3: one task, -3.
    outcome("ed-1-1-0", { trial: 3, reward: -3, energyJoules: 8, waitingSeconds: 0.5 }),
    outcome("ed-1-1-0", { trial: 2, reward: -7 }),
  );
  const rows = resultRows(trialSums(smallSettings, [trial(1, "edge"), trial(2, "local"), trial(3, "edge")], fates));
  expect(rows.map(({ policy, community }) => [policy, community])).toEqual([
    ["local", "all"],
    ["local", "community-1"],
    ["local", "community-2"],
    ["edge", "all"],
    ["edge", "community-1"],
    ["edge", "community-2"],
  ]);
  const [local, , empty, all, first, second] = rows;
  // Of -1 and -3: the deviation is √2, so the half width is 12.7062 · √2 / √2.
  expect([all?.reward.mean, all?.reward.n]).toEqual([-2, 2]);
  expect(all?.reward.halfWidth).toBeCloseTo(12.7062, 3);
  expect(all?.successRatio.mean).toBeCloseTo((2 / 3 + 1) / 2, 12);
  expect([all?.energyJoules.mean, all?.waitingSeconds.mean]).toEqual([(4 + 8) / 2, (1 + 0.5) / 2]);
  expect([first?.reward.mean, first?.successRatio.mean]).toEqual([(-0.5 - 3) / 2, 1]);
  // Community 2 had a task in one trial only: no interval.
  expect(second?.reward).toEqual({ mean: -2, halfWidth: null, n: 1 });
  expect(second?.successRatio.mean).toBe(0);
  expect(local?.reward).toEqual({ mean: -7, halfWidth: null, n: 1 });
  expect(empty?.reward).toEqual({ mean: null, halfWidth: null, n: 0 });
});
