import { type Action, emptyAction, emptyObservation, paper, type Settings, tasksOf, testbed } from "@offloadlab/model";
import { fair, greedy, type Policy } from "@offloadlab/policies";
import { count, hertz } from "@offloadlab/units";
import { describe, expect, it } from "vitest";
import { Community } from "./community.ts";
import { successRatio } from "./epoch-totals.ts";
import { oracle } from "./oracle.ts";
import { runEpoch } from "./run.ts";

const withBandwidth = (settings: Settings, bandwidth: number): Settings => ({
  ...settings,
  communities: settings.communities.map((community) => ({ ...community, bandwidth: hertz(bandwidth) })),
});

const withReadings = (settings: Settings, readings: Partial<Settings["readings"]>): Settings => ({
  ...settings,
  readings: { ...settings.readings, ...readings },
});

const seeds = [1, 2, 3, 4, 5];

const totalsOf = (settings: Settings, communityIndex: number, policyFor: (community: Community) => Policy) => {
  const community = new Community(settings, communityIndex, 1);
  const policy = policyFor(community);
  return seeds.map((seed) => runEpoch(community, policy, seed));
};

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe.each([
  { settings: withBandwidth(paper, 5e6), communityIndex: 0 },
  { settings: paper, communityIndex: 1 },
  { settings: withBandwidth(paper, 25e6), communityIndex: 2 },
  { settings: testbed, communityIndex: 0 },
  { settings: testbed, communityIndex: 2 },
  { settings: withReadings(testbed, { shares: "reused" }), communityIndex: 1 },
])("in community $communityIndex of $settings.name", ({ settings, communityIndex }) => {
  it("the oracle earns more than Fair, and Fair more than Greedy, with the same tasks", () => {
    const ofOracle = totalsOf(settings, communityIndex, oracle);
    const ofFair = totalsOf(settings, communityIndex, ({ devices }) => fair(settings, communityIndex, devices));
    const ofGreedy = totalsOf(settings, communityIndex, ({ devices }) => greedy(settings, communityIndex, devices));
    for (const [index, { reward }] of ofOracle.entries()) expect(reward).toBeGreaterThan(ofFair[index]?.reward ?? 0);
    expect(mean(ofFair.map(({ reward }) => reward))).toBeGreaterThan(mean(ofGreedy.map(({ reward }) => reward)));
    expect(mean(ofOracle.map(successRatio))).toBeGreaterThanOrEqual(mean(ofFair.map(successRatio)));
  });
});

it("the oracle fails next to no task of the paper", () => {
  expect(mean(totalsOf(paper, 1, oracle).map(successRatio))).toBeGreaterThanOrEqual(0.999);
});

it("the oracle decides alike whenever rewards are paid", () => {
  const [decision, completion] = (["decision", "completion"] as const).map((reward) =>
    totalsOf(withReadings(testbed, { reward }), 1, oracle),
  );
  expect(completion).toEqual(decision);
});

const decided = (community: Community): Action => {
  const action = emptyAction(count(community.deviceCount));
  oracle(community).decide(community.observation, action);
  return action;
};

it("the oracle decides the same again, and leaves its community alone", () => {
  const community = new Community(paper, 1, 1);
  const policy = oracle(community);
  const actions = [emptyAction(count(13)), emptyAction(count(13))];
  community.reset(1);
  for (let subSlot = 0; subSlot < 6; subSlot++) {
    const before = [structuredClone(community.observation), community.totals(), community.subSlot];
    for (const action of actions) policy.decide(community.observation, action);
    expect(actions[1]).toEqual(actions[0]);
    expect([community.observation, community.totals(), community.subSlot]).toEqual(before);
    community.step(actions[0] as Action);
  }
});

it("the oracle decides for what will arrive", () => {
  const community = new Community(paper, 1, 1);
  const differing = seeds.filter((seed) => {
    const tasks = community.devices.map((_, index) => tasksOf(paper, 1, index, seed));
    community.resetWith(tasks);
    const knowing = decided(community);
    const arrived = structuredClone(community.observation);
    community.resetWith(tasks.map((own) => own.filter(({ arrival }) => arrival === 0)));
    const alone = decided(community);
    expect(community.observation).toEqual(arrived);
    return String(knowing.placement) !== String(alone.placement);
  });
  expect(differing).not.toEqual([]);
});

it("the oracle accepts no observation but its community's", () => {
  const community = new Community(testbed, 1, 1);
  const policy = oracle(community);
  community.reset(1);
  expect(() => policy.decide(emptyObservation(count(3)), emptyAction(count(3)))).toThrow(
    "Expected the observation of R2 itself, got another",
  );
});
