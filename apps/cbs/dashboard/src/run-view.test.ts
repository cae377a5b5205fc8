import { expect, it } from "vitest";
import { pageTitle, runProgress, trialProgress, trialSecondsLeft, trialText } from "./run-view.ts";
import { run, snapshot } from "./sample.ts";

it("counts trials from one and says when none has begun", () => {
  expect(trialText(run({ trial: 3, trialCount: 20 }))).toBe("Trial 3 of 20");
  expect(trialText(run({ trial: 0, trialCount: 20 }))).toBe("Before trial 1 of 20");
});

it("measures a trial in lab time and what is left of it in real time", () => {
  const half = run({ trialSeconds: 30, epochSeconds: 60, clockSpeed: 2 });
  expect(trialProgress(half)).toBe(0.5);
  expect(trialSecondsLeft(half)).toBe(15);
});

it("counts the running trial into the run's progress", () => {
  expect(runProgress(run({ trial: 2, trialCount: 4, trialSeconds: 30, epochSeconds: 60 }))).toBe(0.375);
  expect(runProgress(run({ trial: 0 }))).toBe(0);
  expect(runProgress(run({ trial: 4, trialCount: 4, trialSeconds: 59, state: "complete" }))).toBe(1);
});

it("puts the trial in the tab's title", () => {
  expect(pageTitle(null)).toBe("OffloadLab");
  expect(pageTitle(snapshot())).toBe("1/20 greedy · five policies · OffloadLab");
  expect(pageTitle(snapshot({ run: run({ state: "invalid" }) }))).toBe("invalid · five policies · OffloadLab");
});
