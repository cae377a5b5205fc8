import { communityAt, presets } from "@offloadlab/model";
import type { TrialOrder } from "@offloadlab/protocol";
import { bytes } from "@offloadlab/units";
import { expect, it } from "vitest";
import { deviceWorld, indicesOf } from "./world.ts";

const order: TrialOrder = {
  run: "r",
  trial: 1,
  policy: "local",
  seed: 1,
  deviceSeed: 2,
  clockSpeed: 1,
  settings: presets.testbed,
  link: "theoretical",
  uplinkRateRatios: {},
  agents: null,
  learning: null,
  epochsBefore: 0,
};
const images = [bytes(600_000), bytes(900_000)];

it("a node's name counts its community and its place in it from 1", () => {
  expect(indicesOf("ed-1-1")).toEqual([0, 0]);
  expect(indicesOf("ed-3-12")).toEqual([2, 11]);
});

it("a device has the epoch, the demand and the tasks of its own community and place", () => {
  const world = deviceWorld(order, "ed-2-3", images);
  expect(world.device.id).toBe("ed-2-3");
  expect(world.demand).toEqual(communityAt(presets.testbed, 1).demand);
  expect([world.subSlot, world.subSlotCount, world.deadline]).toEqual([0.25, 80, 1.5]);
  expect(world.tasks.length).toBeGreaterThan(0);
  for (const task of world.tasks) {
    expect(task.id).toMatch(/^ed-2-3-\d+$/);
    expect(images.map((size) => 8 * size)).toContain(task.dataSize);
  }
});

it("the seed decides on the tasks alone, the device seed on the device alone", () => {
  const world = deviceWorld(order, "ed-1-1", images);
  expect(deviceWorld({ ...order }, "ed-1-1", images)).toEqual(world);
  const otherTasks = deviceWorld({ ...order, seed: 9 }, "ed-1-1", images);
  expect(otherTasks.device).toEqual(world.device);
  expect(otherTasks.tasks).not.toEqual(world.tasks);
  const otherDevice = deviceWorld({ ...order, deviceSeed: 9 }, "ed-1-1", images);
  expect(otherDevice.tasks).toEqual(world.tasks);
  expect(otherDevice.device).not.toEqual(world.device);
});

it.each(["ed-1-4", "ed-4-1", "ed-0-1", "ed-1-0"])("there is no %s in the testbed", (node) => {
  expect(() => deviceWorld(order, node, images)).toThrow(RangeError);
});
