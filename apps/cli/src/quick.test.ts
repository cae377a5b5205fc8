import { expect, it } from "vitest";
import { parse } from "yaml";
import { quickManifest } from "./quick.ts";

it("has one seed and few epochs, and a community joins at the same part of the training", () => {
  const quick = parse(quickManifest("training: {epochs: 80, joins: {R3: 41}}\nrepetitions: 10\nepochs: 30\nseed: 1\n"));
  expect(quick).toEqual({ training: { epochs: 24, joins: { R3: 13 } }, repetitions: 1, epochs: 4, seed: 1 });
});
