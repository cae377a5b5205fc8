import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readManifest } from "@offloadlab/records";
import { expect, test } from "vitest";

const text = readFileSync(join(import.meta.dirname, "../docs/learning.md"), "utf8");
const [manifest = "", training = ""] = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block = ""]) => block);

test("the manifest of docs/learning.md is one", () => {
  expect(readManifest(manifest, "docs/learning.md")).toMatchObject({
    methods: ["pfr-oa"],
    learning: { from: "trained", explore: true, engine: "onnx", federateEvery: 5 },
  });
});

test("its `training` is one too, with every number of Algorithm 2", () => {
  const whole = readManifest(manifest.replace(/^training:.*\n/m, training), "docs/learning.md");
  expect(whole).toMatchObject({ training: { federation: { participant_count: "all", lambda_step: 0 } } });
  const unknown = readManifest(manifest.replace(/^training:.*\n/m, "training: {federation: {share: 1}}\n"), "here");
  // The message names the keys that there are: the document has them all, and no other.
  const message = "problems" in unknown ? unknown.problems.join("\n") : "";
  const known = /known are ([a-z_, ]+)/.exec(message)?.[1]?.trim().split(", ") ?? [];
  const shown = /federation: \{(.*)\}/
    .exec(training)?.[1]
    ?.split(", ")
    .map((entry) => entry.split(":")[0]);
  expect(known).toContain("participant_count");
  expect(shown).toEqual(known);
});

test("every key of `learning` and of links has its row", () => {
  const refused = readManifest(manifest.replace(/^learning:.*\n/m, "learning: {x: 1}\n"), "here");
  const known = /known are ([a-z_, ]+)/.exec("problems" in refused ? refused.problems.join("\n") : "")?.[1] ?? "";
  expect(known.split(", ").length).toBeGreaterThan(2);
  for (const key of [...known.trim().split(", "), "link", "uplink_rate_ratio"])
    expect(text).toContain(`| \`${key}\` |`);
});
