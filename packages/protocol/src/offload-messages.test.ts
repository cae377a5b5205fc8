import { expect, it } from "vitest";
import { Failure } from "./failure.ts";
import { readOffloadRequest } from "./offload-messages.ts";

const request = (dataBytes: number, workCycles: number) => ({
  run: "r",
  trial: 1,
  subSlot: 0,
  chargeJoules: 1,
  queueLength: 1,
  processorBusy: false,
  radioBusy: false,
  last: false,
  ended: [],
  task: { id: "ed-1-1-0", dataBytes, workCycles, ageSeconds: 0 },
});

it("a task has at most 1 GB and 1e15 cycles", () => {
  const largest = request(1e9, 1e15);
  expect(readOffloadRequest(largest, "offload request")).toBe(largest);
  for (const beyond of [request(1e9 + 1, 1), request(1, 1.1e15), request(0, 1), request(1, 0)]) {
    expect(() => readOffloadRequest(beyond, "offload request")).toThrow(Failure);
  }
});

it("a task's measured energy may be a little below zero: the idle power has been taken off it", () => {
  const ended = (energyJoules: unknown) => ({
    ...request(1, 1),
    ended: [{ id: "ed-1-1-0", subSlot: 3, outcome: "late", delaySeconds: 2.5, energyJoules }],
  });
  for (const energy of [-0.004, -8.9e-16, 0, 20.5])
    expect(readOffloadRequest(ended(energy), "offload request").ended[0]?.energyJoules).toBe(energy);
  expect(() => readOffloadRequest(ended("-0.004"), "offload request")).toThrow(/`ended\/0\/energyJoules`/);
});
