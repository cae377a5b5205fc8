import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parseInventory } from "./inventory.ts";
import { impossibleOn } from "./inventory-lab.ts";
import { loadManifest } from "./lab-up.ts";

const root = join(import.meta.dirname, "../../..");
/** The example lab, whose hardware is real. */
const exampleLab = (edit = (text: string): string => text) => {
  const text = edit(readFileSync(join(root, "inventory/example-lab.yaml"), "utf8"));
  const inventory = parseInventory(text, "lab.yaml");
  if ("problems" in inventory) throw new RangeError(inventory.problems.join("\n"));
  return inventory;
};
const manifestOf = async (name: string) => (await loadManifest(join(root, "experiments", name))).manifest;

it("a lab of boards takes the experiment that is made for it", async () => {
  expect(impossibleOn(exampleLab(), await manifestOf("lab.yaml"))).toEqual([]);
});

it("a lab of boards keeps real time, and has only the nodes that it has", async () => {
  expect(impossibleOn(exampleLab(), await manifestOf("live.yaml"))).toEqual([
    "live: `clock_speed_ratio` must be 1 where hardware is real, got 1.5",
  ]);
  const emulated = exampleLab((text) => text.replace("hardware: linux", "hardware: emulated"));
  expect(impossibleOn(emulated, await manifestOf("live.yaml"))).toEqual([]);
  const smaller = exampleLab((text) => text.replace(/^ *ed-2-3:.*\n/m, ""));
  expect(impossibleOn(smaller, await manifestOf("lab.yaml"))).toEqual(["lab.yaml: the experiment lab needs ed-2-3"]);
});
