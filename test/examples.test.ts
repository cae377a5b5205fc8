import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { openPolicy } from "@offloadlab/deployed";
import { emptyAction, paper, placement, testbed } from "@offloadlab/model";
import { greedy, type OpenPolicy } from "@offloadlab/policies";
import { Community, runOpenEpoch, successRatio } from "@offloadlab/simulation";
import { count } from "@offloadlab/units";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const examples = join(import.meta.dirname, "../examples");
const folder = mkdtempSync(join(tmpdir(), "examples-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What each of Greedy's decisions becomes, at every state of an epoch. */
const followed = async (policy: OpenPolicy, community: Community, seed: number) => {
  const byRule = greedy(community.settings, community.communityIndex, community.devices);
  const [decided, expected] = [0, 0].map(() => emptyAction(count(community.deviceCount)));
  if (decided === undefined || expected === undefined) throw new RangeError("Expected two actions");
  const local: [ours: boolean, theirs: boolean][] = [];
  const observation = community.reset(seed);
  do {
    await policy.decide(observation, decided);
    byRule.decide(observation, expected);
    for (let j = 0; j < community.deviceCount; j++) {
      local.push([expected.placement[j] === placement.local, decided.placement[j] === placement.local]);
    }
  } while (!community.step(decided).terminated);
  return local;
};

const worlds = [paper, testbed].map((settings) => ({ name: settings.name, settings }));

describe("examples/greedy_onnx.py", () => {
  const model = join(folder, "my-policy.onnx");
  beforeAll(() => {
    execFileSync("python3", [join(examples, "greedy_onnx.py"), model]);
  });

  test.each(worlds)("keeps at home what Greedy keeps at home, in $name", async ({ settings }) => {
    const community = new Community(settings, 1, 1);
    const policy = await openPolicy(model, settings, 1, community.devices);
    const local = await followed(policy, community, 5);
    for (const [ours, theirs] of local) expect(theirs).toBe(ours);
    expect(local.filter(([ours]) => ours).length).toBeGreaterThan(10);
    await policy.close();
  });

  test("does far better than Greedy with its static shares, and needs no help", async () => {
    const community = new Community(paper, 1, 1);
    const policy = await openPolicy(model, paper, 1, community.devices);
    const totals = [];
    for (let seed = 1; seed <= 4; seed++) totals.push(await runOpenEpoch(community, policy, seed));
    const ratios = totals.map(successRatio);
    expect(Math.min(...ratios)).toBeGreaterThan(0.95);
    expect(policy.answers).toMatchObject({ adjusted: 0, firstProblem: undefined });
    expect(policy.answers.asked).toBeGreaterThan(4 * 80);
    await policy.close();
  });
});

describe("examples/http_policy.py", () => {
  const server = spawn("python3", [join(examples, "http_policy.py"), "0"], { stdio: ["ignore", "pipe", "inherit"] });
  let url = "";
  beforeAll(async () => {
    [url] = (await once(createInterface(server.stdout), "line")) as [string];
  });
  afterAll(() => server.kill());

  test.each(worlds)("keeps at home what Greedy keeps at home, in $name", async ({ settings }) => {
    const community = new Community(settings, 1, 1);
    const policy = await openPolicy(url, settings, 1, community.devices);
    const local = await followed(policy, community, 5);
    for (const [ours, theirs] of local) expect(theirs).toBe(ours);
    await policy.close();
  });

  test("succeeds as Fair does, within C4 and C5 and without a fallback", async () => {
    const community = new Community(paper, 1, 1);
    const policy = await openPolicy(url, paper, 1, community.devices);
    const ratios: number[] = [];
    for (let seed = 1; seed <= 3; seed++) ratios.push(successRatio(await runOpenEpoch(community, policy, seed)));
    expect(Math.min(...ratios)).toBeGreaterThan(0.98);
    expect(policy.answers).toMatchObject({ adjusted: 0, firstProblem: undefined });
    await policy.close();
  });
});
