import { randomStream } from "@offloadlab/model";
import { expect, it } from "vitest";
import type { JournalRecord } from "./journal-records.ts";
import { learningGains, learningGainText } from "./learning-gain.ts";
import type { TrialSums } from "./results.ts";

const journals = new Map<string, JournalRecord[]>([
  [
    "mec-1",
    [
      {
        ...{ time: 1, kind: "learning", trial: 1, policy: "pfr-oa", epoch: 1, transitions: 80, discarded: 0 },
        ...{ updates: 80, losses: {} },
      },
    ],
  ],
]);

/** Trials of a policy in two communities, whose reward per task is as given. */
const sumsOf = (policy: string, rewards: readonly number[]): TrialSums[] =>
  rewards.flatMap((reward, index) =>
    ["R1", "R2"].map((community, part) => ({
      trial: index + 1,
      policy,
      community,
      tasks: 10 + 20 * part,
      outcomes: { "completed-local": 0, "completed-edge": 0, late: 0, drained: 0, expired: 0, lost: 0 },
      reward: reward * (10 + 20 * part),
      energyJoules: 0,
      waitingSeconds: 0,
    })),
  );

it("is the last trials' reward less the first trials', of policies that learn", () => {
  const sums = [...sumsOf("pfr-oa", [-4, -4, -3, -3, -1, -1]), ...sumsOf("fair", [-1, -1, -1, -1, -1, -1])];
  const [gain, ...others] = learningGains(journals, sums);
  expect(others).toEqual([]);
  expect(gain).toMatchObject({ policy: "pfr-oa", n: 2 });
  expect(gain?.first).toBeCloseTo(-4, 12);
  expect(gain?.gain).toBeCloseTo(3, 12);
  expect(learningGainText(learningGains(journals, sums))[0]).toContain("+3.000 ± 0.000");
  expect(learningGains(journals, sumsOf("pfr-oa", [-1, -2, -3, -4, -5]))).toEqual([]);
});

it.each([
  [6, 2],
  [59, 19],
  [60, 20],
  [200, 20],
  [640, 64],
])("of %i trials, the first and the last %i are compared", (trials, ends) => {
  const rewards = Array.from({ length: trials }, (_, i) => (i < ends ? -3 : i < trials - ends ? -9 : -1));
  const [gain] = learningGains(journals, sumsOf("pfr-oa", rewards));
  expect(gain?.n).toBe(ends);
  expect(gain?.first).toBeCloseTo(-3, 12);
  expect(gain?.last).toBeCloseTo(-1, 12);
});

it("its interval holds the truth 95 times in 100, also when the spread shrinks", () => {
  const tries = 1000;
  let held = 0;
  for (let seed = 1; seed <= tries; seed++) {
    const random = randomStream(seed, "rewards");
    const noise = (width: number): number => random.uniform(-width, width);
    const rewards = Array.from({ length: 30 }, (_, i) => (i < 15 ? -4 + noise(1) : -2 + noise(0.2)));
    const [gain] = learningGains(journals, sumsOf("pfr-oa", rewards));
    if (Math.abs((gain?.gain ?? 0) - 2) <= (gain?.halfWidth ?? 0)) held++;
  }
  expect(held / tries).toBeGreaterThan(0.925);
  expect(held / tries).toBeLessThan(0.975);
});
