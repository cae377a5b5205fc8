import { expect, it } from "vitest";
import type { JournalRecord } from "./journal-records.ts";
import { action, generated, outcome, service, smallSettings } from "./journals.test-helper.ts";
import { taskTrace, traceText, trialsOf } from "./task-trace.ts";

const task = "ed-1-1-0";
/** A trial at twice real time that began at Unix second 1000; the task ended at lab second 1, half a second later. */
const journals = new Map<string, JournalRecord[]>([
  ["cbs", [{ time: 999, kind: "trial", trial: 1, policy: "fair", seed: 5, startsAtUnixSeconds: 1000 }]],
  [
    "mec-1",
    [
      { time: 1000.001, ...action([{ task, placement: "wait", bandwidthShare: 0, computeShare: 0 }]) },
      {
        time: 1000.13,
        ...action([{ task, placement: "edge", bandwidthShare: 0.5, computeShare: 0.25, lease: "0123456789" }], {
          subSlot: 1,
          latenessSeconds: 0.01,
        }),
      },
      { time: 1000.49, ...service(task, { uploadSeconds: 0.23, executionSeconds: 0.4, queueSeconds: 0.02 }) },
      { time: 1000.5, ...service("ed-1-2-0") },
    ],
  ],
  [
    "ed-1-1",
    [
      { time: 1000, ...generated(task) },
      { time: 1000.5, ...outcome(task, { outcome: "completed-edge", endSeconds: 1, delaySeconds: 1 }) },
      { time: 1001, ...generated(task, 2) },
    ],
  ],
]);

it("tells a task's life across nodes in lab time, and no other's", () => {
  expect(trialsOf(journals, task)).toEqual([1, 2]);
  const events = taskTrace(smallSettings, journals, 2, 1, task);
  expect(events.map(({ node, what }) => `${node} ${what}`)).toEqual([
    "cbs began the trial",
    "ed-1-1 generated",
    "mec-1 decided: wait",
    "mec-1 decided: edge",
    "mec-1 upload",
    "mec-1 execution",
    "ed-1-1 completed-edge",
  ]);
  const at = (name: string) => events.find(({ what }) => what === name) ?? expect.fail(name);
  expect(at("decided: edge").fromSeconds).toBeCloseTo(0.26, 9);
  expect(at("upload").fromSeconds).toBeCloseTo(0.98 - 0.4 - 0.02 - 0.23, 9);
  expect(at("upload").detail).toContain("+30.0 ms against Eq. (2)");
  expect(at("execution").toSeconds).toBeCloseTo(0.98, 9);
});

it("draws it on one scale", () => {
  const lines = traceText(taskTrace(smallSettings, journals, 2, 1, task)).split("\n");
  expect(lines).toHaveLength(8);
  const barOf = (what: string): string =>
    /[│█].*?(?= {2})/.exec(lines.find((line) => line.includes(what)) ?? "")?.[0] ?? "";
  expect(barOf("generated")).toBe("│");
  // 0.4 s of a life of one second, on 32 columns.
  expect(barOf("execution").trim().length).toBeGreaterThan(10);
  expect(barOf("execution").trim().length).toBeLessThan(15);
});

it("a task that its device executed itself has its execution there", () => {
  const local = new Map(journals);
  local.set("mec-1", []);
  local.set("ed-1-1", [
    { time: 1000, ...generated(task) },
    { time: 1000.5, ...outcome(task, { endSeconds: 1, delaySeconds: 1, waitingSeconds: 0.25 }) },
  ]);
  const execution = taskTrace(smallSettings, local, 2, 1, task).find(({ what }) => what === "execution");
  expect(execution).toMatchObject({ node: "ed-1-1", fromSeconds: 0.25, toSeconds: 1 });
});
