import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nodeIds, presets } from "@offloadlab/model";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { defaultPorts, type Inventory, nodeOf, parseInventory } from "./inventory.ts";

const root = join(import.meta.dirname, "../../..");
const example = readFileSync(join(root, "inventory/example-lab.yaml"), "utf8");

const read = (text: string): Inventory => {
  const inventory = parseInventory(text, "lab.yaml");
  if ("problems" in inventory) throw new RangeError(inventory.problems.join("\n"));
  return inventory;
};
/** The problems of the example with one thing changed. */
const problemsWith = (was: string, is: string): readonly string[] => {
  expect(example).toContain(was);
  const inventory = parseInventory(example.replace(was, is), "lab.yaml");
  return "problems" in inventory ? inventory.problems : [];
};
/** `file:line` of a text in the example. */
const lineOf = (text: string): string => `lab.yaml:${example.slice(0, example.indexOf(text)).split("\n").length}`;

it("the example is the paper's lab: 3 x (1 + 3) and a C-BS, as the preset `testbed` wants it", () => {
  const inventory = read(example);
  const ids = inventory.nodes.map(({ id }) => id).filter((id) => id !== "cbs");
  expect(ids.sort()).toEqual(nodeIds(presets.testbed).sort());
  expect(inventory.station.address).toBe("192.168.77.10");
  expect(nodeOf(inventory, "mec-2")).toMatchObject({ board: "jetson-tx2", role: "mec", sshHost: "192.168.77.12" });
});

it("the nearest variable counts, as in Ansible", () => {
  const text = example.replace("ed-1-2: { ", "ed-1-2: { board: computer, lab_address: ed.example, ");
  expect(nodeOf(read(text), "ed-1-2")).toMatchObject({
    board: "computer",
    address: "ed.example",
    sshHost: "192.168.77.22",
    variables: { meter: "ina226", ansible_user: "offload" },
  });
});

it.each([
  ["a board that nobody knows", "board: computer", "board: toaster", "must be one of raspberry-pi-4"],
  [
    "a misspelt variable",
    "lab_country: DE",
    "lab_contry: DE",
    "unknown `lab_contry` in `all.vars`; known are lab_name",
  ],
  ["a community that the name denies", "11, community: 1", "11, community: 2", "`community` of mec-1 must be 1, got 2"],
  ["an address twice", "192.168.77.12", "192.168.77.11", "mec-2 has the address 192.168.77.11 of mec-1"],
  ["a name without a place", "mec-3:", "jetson:", "a host in `mec` must be called mec-<community>, got jetson"],
  ["a host without an address", "ansible_host: 192.168.77.13, ", "", "mec-3 needs an `ansible_host`"],
  ["a device without a server", "mec-3: {", "mec-4: {", "`community` of mec-4 must be 4"],
  ["a chip's address out of range", "0x40", "0x99", "must be <= 119, got 153"],
  ["real hardware that nobody measures", "meter: ina3221", "meter: none", "mec-1 has `hardware: linux` and no `meter`"],
  ["a gauge without a name", "meter: ina226", "meter: power-supply", "ed-1-1 needs `meter_supply`"],
  [
    "a gauge that is to measure the harvest as well",
    "meter: ina226",
    "meter: power-supply\n        meter_supply: battery",
    "with `meter: power-supply` it can only be emulated",
  ],
  ["a scale without a factor", "harvest_source: measured", "harvest_source: scaled", "ed-1-1 needs `harvest_factor`"],
  [
    "a group that is no role",
    "    cbs:\n",
    "    station:\n",
    "unknown `station` in `all.children`; known are cbs, mec, ed",
  ],
])("%s is refused with its place", (_, was, is, message) => {
  const problems = problemsWith(was, is);
  expect(problems).toEqual(expect.arrayContaining([expect.stringContaining(message)]));
  for (const problem of problems) expect(problem).toMatch(/^lab\.yaml:\d+:\d+: /);
});

it.each([
  ["a battery's gauge", "meter: power-supply\n        meter_supply: battery\n        harvest_source: emulated"],
  ["emulated hardware without a meter", "meter: none\n        hardware: emulated\n        harvest_source: emulated"],
])("%s is taken", (_, meter) => {
  const text = example.replace(/ *harvest_source: measured\n/, "").replace("meter: ina226", meter);
  expect(read(text).nodes).toHaveLength(13);
});

it("the place is the line in the file", () => {
  expect(problemsWith("192.168.77.12", "192.168.77.11")[0]).toMatch(`${lineOf("192.168.77.12")}:`);
  expect(problemsWith("0x40", "0x99")[0]).toMatch(`${lineOf("load_address")}:`);
  expect(problemsWith("lab_name: example-lab", "lab_name: [")[0]).toMatch(/^lab\.yaml:\d+:\d+: /);
});

it("an unknown node is told with those that there are", () => {
  expect(() => nodeOf(read(example), "ed-9-9")).toThrow(/there is no node ed-9-9; there are cbs, mec-1/);
});

it("Ansible takes the same ports where an inventory has none", () => {
  const all = parse(readFileSync(join(root, "ansible/roles/lab/defaults/main.yml"), "utf8")) as Record<string, unknown>;
  expect(all).toMatchObject(defaultPorts);
});
