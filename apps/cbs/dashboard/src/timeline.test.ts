import { expect, it } from "vitest";
import { timelineOf } from "./timeline.ts";

const event = (node: string, fromSeconds: number, toSeconds: number) => ({
  ...{ node, what: "", detail: "", fromSeconds, toSeconds },
});

it("places events on the scale of the task's own life", () => {
  const events = [event("cbs", 0, 0), event("ed-1-1", 10, 10), event("mec-1", 10.5, 11), event("ed-1-1", 12, 12)];
  expect(timelineOf(events).map(({ left, width }) => [left, width])).toEqual([
    [0, 0],
    [0, 0],
    [0.25, 0.25],
    [1, 0],
  ]);
});

it("has a place for a task of which but one moment is known", () => {
  expect(timelineOf([event("ed-1-1", 3, 3)]).map(({ left, width }) => [left, width])).toEqual([[0, 0]]);
});
