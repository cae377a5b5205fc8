import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readCard } from "@offloadlab/deployed";
import { communityAt, devicesOf, emptyAction, emptyObservation, paper } from "@offloadlab/model";
import { count } from "@offloadlab/units";
import { expect, test } from "vitest";
import { communityColumns, deviceColumns } from "../packages/deployed/src/columns.ts";
import { observationMessage, readDecisions } from "../packages/deployed/src/endpoint-messages.ts";

const text = readFileSync(join(import.meta.dirname, "../docs/policies.md"), "utf8");
const [card = "", sent = "", answered = ""] = [...text.matchAll(/```json\n(.*?)```/gs)].map(
  (match) => match[1] as string,
);

/** Every key, as `community.demand.delay_per_second`; of a list, those of its first element. */
const keysOf = (value: unknown, path = ""): string[] => {
  if (Array.isArray(value)) return keysOf(value[0], `${path}[]`);
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, each]) => keysOf(each, `${path}.${key}`));
};

test("the card of docs/policies.md is one", () => {
  const read = readCard(card.replace("<of the .onnx file>", "0".repeat(64)), "docs/policies.md");
  expect(read).toMatchObject({ name: "my policy", deviceCount: undefined, observation: { networks: "set" } });
});

test("docs/policies.md lists every column that a card may name, and no other", () => {
  const table = text.slice(text.indexOf("| device column"), text.indexOf("The output has three columns"));
  const listed = [...table.matchAll(/`([a-z_]+)`/g)].map((match) => match[1]);
  expect(listed.sort()).toEqual([...Object.keys(deviceColumns), ...Object.keys(communityColumns)].sort());
});

test("the observation of docs/policies.md has the keys that an endpoint is sent", () => {
  const devices = devicesOf(paper, 0, 1);
  const observation = emptyObservation(count(devices.length));
  observation.waiting[0] = 1;
  const message = observationMessage(paper, communityAt(paper, 0), devices, observation);
  expect(keysOf(JSON.parse(sent))).toEqual(keysOf(message));
});

test("the answer of docs/policies.md is one", () => {
  expect(readDecisions(answered, 1, emptyAction(count(1)))).toBeUndefined();
});
