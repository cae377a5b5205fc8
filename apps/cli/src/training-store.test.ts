import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { presets, type Settings } from "@offloadlab/model";
import { trainingSettings } from "@offloadlab/simulation";
import { afterEach, beforeEach, expect, it } from "vitest";
import { keptTrainings } from "./training-store.ts";

const world: Settings = { ...presets.testbed, timeSlotCount: presets.testbed.subSlotsPerTimeSlot };
const settings = trainingSettings("mcf-td3", { epochs: 2, networks: "set", hyperparameters: "recommended" });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trainings-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Trains or finds a training, and says how many epochs it took. */
const train = async (commit: string, seed = 1) => {
  let epochs = 0;
  const trained = await keptTrainings(folder, commit)(world, settings, seed, () => {
    epochs += 1;
  });
  return { trained, epochs };
};

it("trains once, and gives the same from disk", async () => {
  const first = await train("1a2b3c4");
  const second = await train("1a2b3c4");
  expect([first.epochs, second.epochs]).toEqual([2, 0]);
  expect(second.trained).toEqual(first.trained);
  expect(Object.keys(second.trained.weights[2] ?? {})).toEqual(["critic1", "critic2", "actor"]);
  expect(readdirSync(folder)).toHaveLength(1);
});

it("another seed, and other code, are other trainings", async () => {
  await train("1a2b3c4");
  expect((await train("1a2b3c4", 2)).epochs).toBe(2);
  expect((await train("1a2b3c5")).epochs).toBe(2);
  expect(readdirSync(folder)).toHaveLength(3);
});

it("says which file is damaged, and what to do", async () => {
  await train("1a2b3c4");
  const [name = ""] = readdirSync(folder);
  writeFileSync(join(folder, name), "not a training");
  await expect(train("1a2b3c4")).rejects.toThrow(`${name}`);
  await expect(train("1a2b3c4")).rejects.toThrow("remove it, and it is trained again");
});
