import { expect, it } from "vitest";
import { action, generated, outcome, service, stamped } from "./journals.test-helper.ts";
import { deviceOf, taskFates } from "./reconcile.ts";

it("a task's id names its device", () => {
  expect(deviceOf("ed-1-2-17")).toBe("ed-1-2");
});

it("brings together what ED, MEC and C-BS know of a task, once for each trial", () => {
  const end = outcome("ed-1-1-0", { outcome: "completed-edge" });
  const fates = taskFates(
    new Map([
      ["ed-1-1", stamped([generated("ed-1-1-0"), end, generated("ed-1-1-1"), generated("ed-1-1-0", 2)])],
      ["mec-1", stamped([service("ed-1-1-0")])],
      ["cbs", stamped([{ kind: "lost", trial: 1, task: "ed-1-1-1" }])],
    ]),
  );
  expect(fates).toEqual([
    { trial: 1, task: "ed-1-1-0", device: "ed-1-1", ends: [{ time: 1000.001, ...end }], declaredLost: false },
    { trial: 1, task: "ed-1-1-1", device: "ed-1-1", ends: [], declaredLost: true },
    { trial: 2, task: "ed-1-1-0", device: "ed-1-1", ends: [], declaredLost: false },
  ]);
});

it("counts a task that only the MEC knows of, from its decisions or its services", () => {
  const decision = { task: "ed-1-2-3", placement: "wait", bandwidthShare: 0, computeShare: 0 } as const;
  const fates = taskFates(new Map([["mec-1", stamped([action([decision]), service("ed-1-1-9")])]]));
  expect(fates.map(({ task, device, ends }) => [task, device, ends.length])).toEqual([
    ["ed-1-2-3", "ed-1-2", 0],
    ["ed-1-1-9", "ed-1-1", 0],
  ]);
});

it("keeps every end that was recorded, so that two of them are seen", () => {
  const fates = taskFates(
    new Map([["ed-1-1", stamped([outcome("ed-1-1-0"), outcome("ed-1-1-0", { outcome: "late" })])]]),
  );
  expect(fates[0]?.ends.map((end) => end.outcome)).toEqual(["completed-local", "late"]);
});
