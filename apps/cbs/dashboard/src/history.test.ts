import type { LiveSnapshot } from "@offloadlab/protocol";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type History, noHistory, remember } from "./history.ts";
import { community, device, run, snapshot } from "./sample.ts";

const at = (trialSeconds: number, reward = 0, changes: Parameters<typeof run>[0] = {}): LiveSnapshot =>
  snapshot({ run: run({ trialSeconds, ...changes }), communities: [community({ reward })] });

const play = (snapshots: readonly LiveSnapshot[]): History => snapshots.reduce(remember, noHistory);
const rewards = (history: History): readonly (number | null)[] => (history.moments[0] ?? []).map((m) => m.reward);

it("collects the reward over the trial's lab time", () => {
  const history = play([at(0, 0), at(1, -2), at(2, -3)]);
  expect(history.seconds).toEqual([0, 1, 2]);
  expect(rewards(history)).toEqual([0, -2, -3]);
});

it("starts over with each trial, each run and whenever lab time runs backwards", () => {
  expect(play([at(5), at(1, -1, { trial: 2 })]).seconds).toEqual([1]);
  expect(play([at(5), at(6, -1, { id: "other" })]).seconds).toEqual([6]);
  expect(play([at(5), at(1)]).seconds).toEqual([1]);
});

it("is empty without a run and before the first trial", () => {
  expect(play([at(5), snapshot({ run: null })])).toBe(noHistory);
  expect(play([at(0, 0, { trial: 0 })])).toBe(noHistory);
});

it("replaces a moment that is told again", () => {
  expect(rewards(play([at(1, -1), at(1, -2)]))).toEqual([-2]);
});

it("breaks the line where snapshots were missed, measured in real time", () => {
  expect(rewards(play([at(1, -1), at(11, -2)]))).toEqual([-1, null, -2]);
  expect(rewards(play([at(1, -1, { clockSpeed: 5 }), at(11, -2, { clockSpeed: 5 })]))).toEqual([-1, -2]);
});

it("summarises the charge of a community's devices", () => {
  const devices = [10, 20, 60].map((chargeJoules) => device({ chargeJoules }));
  const { moments } = play([
    snapshot({ communities: [community({ devices }), community({ name: "r2", devices: [] })] }),
  ]);
  expect(moments[0]?.[0]).toMatchObject({ chargeMean: 30, chargeLowest: 10, chargeHighest: 60 });
  expect(moments[1]?.[0]?.chargeMean).toBeNull();
});

it("stays bounded, keeps first and last, and stays in order", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6000 }), (length) => {
      const { seconds, moments } = play(Array.from({ length }, (_, index) => at(index, -index)));
      expect(seconds.length).toBeLessThanOrEqual(2400);
      expect(moments[0]?.length).toBe(seconds.length);
      expect([seconds[0], seconds.at(-1)]).toEqual([0, length - 1]);
      expect(seconds.every((second, index) => index === 0 || second > (seconds[index - 1] ?? 0))).toBe(true);
    }),
    { numRuns: 5 },
  );
});
