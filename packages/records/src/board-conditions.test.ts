import { expect, it } from "vitest";
import { boardConditions } from "./board-conditions.ts";
import type { NewRecord } from "./journal-records.ts";
import { stamped } from "./journals.test-helper.ts";

const board = (change: object = {}): NewRecord => ({
  kind: "board",
  trial: 1,
  clockHertz: 1.5e9,
  throttled: false,
  temperatureCelsius: 50,
  wifiHertz: 5.18e9,
  wifiSignalDbm: -50,
  wifiBitsPerSecond: 4e8,
  clockOffsetSeconds: -0.0002,
  clockOffsetBoundSeconds: 0.001,
  failures: [],
  ...change,
});
const energy = (change: object = {}): NewRecord => ({
  kind: "energy",
  trial: 1,
  totalJoules: 100,
  tasksJoules: 40,
  idleJoules: 60,
  coverageRatio: 0.999,
  failedReadings: 0,
  ...change,
});
const violated = (...records: NewRecord[]) => boardConditions(new Map([["ed-1-1", stamped(records)]]));

it("a board that is well, or whose radio and clock say nothing, violates nothing", () => {
  expect(violated(board(), energy())).toEqual([]);
  expect(violated(board({ throttled: null, clockOffsetSeconds: null, clockOffsetBoundSeconds: null }))).toEqual([]);
});

it("throttling violates it, once for each trial, and not in the warm-up", () => {
  const throttled = board({ throttled: true });
  expect(violated(throttled, throttled, board({ throttled: true, trial: 2 }))).toEqual([
    expect.stringContaining("ed-1-1 was throttled in trial 1"),
    expect.stringContaining("ed-1-1 was throttled in trial 2"),
  ]);
  expect(violated(board({ throttled: true, trial: 0 }))).toEqual([]);
});

it("a clock that may be more than 10 ms off violates it, whichever way", () => {
  expect(violated(board({ clockOffsetSeconds: -0.0095 })).join()).toContain("did not know the time to 10 ms");
  expect(violated(board({ clockOffsetBoundSeconds: 0.02 })).join()).toContain("did not know the time");
});

it("a meter that missed more than 2 % violates it, and so do joules that are nobody's", () => {
  expect(violated(energy({ coverageRatio: 0.9, failedReadings: 31 })).join()).toContain(
    "saw 90 % of trial 1 (31 readings failed)",
  );
  expect(violated(energy({ idleJoules: 59.9 })).join()).toContain("lost");
  expect(violated(energy({ tasksJoules: 40.1 })).join()).toContain("counted twice 0.1");
});
