import { readFileSync } from "node:fs";
import { join } from "node:path";
import { presets } from "@offloadlab/model";
import { policyNames } from "@offloadlab/policies";
import { methods } from "@offloadlab/simulation";
import { expect, it } from "vitest";
import { learnedNames, type Manifest, readManifest } from "./manifest.ts";

const good = `name: first-run
preset: testbed
policies: [local, edge, greedy]
repetitions: 3
seed: 42
`;

const accepted = (text: string): Manifest => {
  const manifest = readManifest(text, "experiment.yaml");
  if ("problems" in manifest) expect.fail(manifest.problems.join("\n"));
  return manifest;
};

const refused = (text: string): readonly string[] => {
  const manifest = readManifest(text, "experiment.yaml");
  return "problems" in manifest ? manifest.problems : expect.fail("was accepted");
};

it("reads a manifest; without settings the preset is the world, without a speed it is real time", () => {
  expect(accepted(good)).toEqual({
    name: "first-run",
    settings: presets.testbed,
    policies: ["local", "edge", "greedy"],
    methods: [],
    trained: [],
    training: { epochs: 60, networks: "set", hyperparameters: "recommended" },
    learning: null,
    link: "theoretical",
    uplinkRateRatios: {},
    repetitions: 3,
    seed: 42,
    clockSpeed: 1,
  });
  expect(accepted(`${good}clock_speed_ratio: 4\n`).clockSpeed).toBe(4);
});

it("takes methods, which the simulator trains, and trained agents by their folder", () => {
  const policies = "[fair, pfr-oa, {trained: runs/mine}, {trained: ../Other one, name: other}, td3]";
  const manifest = accepted(`${good.replace("[local, edge, greedy]", policies)}training: {epochs: 5}\n`);
  expect(manifest.policies).toEqual(["fair", "pfr-oa", "mine", "other", "td3"]);
  expect(manifest.methods).toEqual(["td3", "pfr-oa"]);
  expect(manifest.trained).toEqual([
    { name: "mine", folder: "runs/mine" },
    { name: "other", folder: "../Other one" },
  ]);
  expect(manifest.training.epochs).toBe(5);
  expect(learnedNames(manifest)).toEqual(["td3", "pfr-oa", "mine", "other"]);
});

it("Fig. 11's manifest compares all of the paper's methods and Fair, and its agents go on learning", () => {
  const file = join(import.meta.dirname, "../../../experiments/fig11.yaml");
  const { policies, methods: trained, learning } = accepted(readFileSync(file, "utf8"));
  expect(policies).toEqual([...policyNames, ...methods]);
  expect(trained).toEqual(methods);
  expect(learning).toMatchObject({ from: "trained", explore: false });
});

it("goes on learning when it says so, by default from what was trained, with exploration, in ONNX Runtime", () => {
  const defaults = { from: "trained", explore: true, engine: "onnx", federateEvery: null };
  expect(accepted(`${good}learning: {}\n`).learning).toEqual(defaults);
  const learning = "learning: {from: scratch, explore: false, engine: tfjs, federate_every: 5}\n";
  const chosen = { from: "scratch", explore: false, engine: "tfjs", federateEvery: 5 };
  expect(accepted(`${good}${learning}`).learning).toEqual(chosen);
});

it("says how a rehearsal's links differ from the theory", () => {
  const { link, uplinkRateRatios } = accepted(`${good}link: corrected\nuplink_rate_ratio: {ed-2-1: 0.5}\n`);
  expect({ link, uplinkRateRatios }).toEqual({ link: "corrected", uplinkRateRatios: { "ed-2-1": 0.5 } });
});

it("merges the settings into the preset: named keys change, all others stay", () => {
  const { settings } = accepted(`${good}settings:\n  deadline_seconds: 2\n  time_slot_count: 5\n`);
  expect(settings).toEqual({ ...presets.testbed, deadline: 2, timeSlotCount: 5 });
});

it("replaces a list as a whole", () => {
  const community = (name: string, capacity: number) => `
    - name: ${name}
      device_count: 2
      bandwidth_hertz: 15e6
      signal_to_noise: 100
      path_loss_exponent: 1
      server_clock_hertz: 8e9
      server_power_watts: 100
      demand: {delay_per_second: 1, energy_per_capacity: 1, success_per_task: 10}
      device:
        clock_hertz: 1.5e9
        k_joule_square_seconds: 1e-26
        transmit_power_watts: {low: 0.1, high: 0.4}
        distance_meters: 10
        capacity_joules: ${capacity}
        harvested_joules: 40
      workload: {arrivals: poisson, tasks_per_time_slot: 1, data_size_bits: 8e6, work_cycles: 1e9}`;
  const { settings } = accepted(`${good}settings:\n  communities:${community("only", 60)}\n`);
  expect(settings.communities.map(({ name, deviceCount, device }) => [name, deviceCount, device.capacity])).toEqual([
    ["only", 2, 60],
  ]);
  expect(settings.communities[0]?.device.transmitPower).toEqual({ low: 0.1, high: 0.4 });
  expect(refused(`${good}settings:\n  communities:${community("same", 60)}${community("same", 60)}\n`)).toEqual([
    'experiment.yaml:24:7: `settings.communities.1.name` must be a name of its own, got "same"',
  ]);
});

it.each([
  ["an unknown key", `${good}sede: 7\n`, "6:1: unknown key `sede`; known are name, preset,"],
  [
    "a unit that is not the key's",
    `${good}settings:\n  deadline_milliseconds: 1500\n`,
    "7:3: `settings.deadline_milliseconds` must be no such key, got 1500",
  ],
  [
    "a setting out of range",
    `${good}settings: {deadline_seconds: -1}\n`,
    "6:12: `settings.deadline_seconds` must be more than 0, got -1",
  ],
  [
    "a policy that does not exist",
    good.replace("edge", "egde"),
    '3:19: `policies.1` must be one of local, edge, greedy, fair, oracle, dqn, ddpg, td3, mcf-td3, pfr-oa, got "egde"',
  ],
  [
    "a trained policy without a folder",
    good.replace("edge", "{trained: 3}"),
    "3:19: `policies.1` must be a name or {trained: <folder>, name: <name>}, got",
  ],
  [
    "a trained policy with another's name",
    good.replace("edge", "{trained: a/local}"),
    '3:19: `policies.1` needs a `name` that no other policy has, got "local"',
  ],
  [
    "a trained policy whose folder is no name",
    good.replace("edge", "{trained: a/My run}"),
    '3:19: `policies.1` needs a `name` of small letters, digits and hyphens, got "My run"',
  ],
  [
    "an unknown key of learning",
    `${good}learning: {form: scratch}\n`,
    "6:12: unknown key `form`; known are from, explore, engine",
  ],
  ["a policy that is named twice", good.replace("edge", "local"), "3:1: `policies` must not have duplicate items"],
  [
    "no policy",
    good.replace("[local, edge, greedy]", "[]"),
    "3:1: `policies` must not have fewer than 1 items, got []",
  ],
  [
    "a preset that does not exist",
    good.replace("testbed", "testbet"),
    "2:1: `preset` must be one of paper, paper-physical, testbed",
  ],
  ["a name that is no folder's", good.replace("first-run", "../run"), "1:1: `name`"],
  ["no repetition", good.replace("3", "0"), "4:1: `repetitions` must be >= 1, got 0"],
  ["half a repetition", good.replace("3", "2.5"), "4:1: `repetitions` must be integer, got 2.5"],
  ["a seed that is too large", good.replace("42", "4294967296"), "5:1: `seed` must be <= 4294967295"],
  ["a speed of 0", `${good}clock_speed_ratio: 0\n`, "6:1: `clock_speed_ratio` must be > 0, got 0"],
  ["a key that is there twice", `${good}seed: 1\n`, "6:1: Map keys must be unique"],
  ["a list that is not closed", good.replace("]", ""), "4:1: Flow sequence"],
  ["a tab for an indent", `${good}settings:\n\tdeadline_seconds: 1\n`, "7:1: Tabs are not allowed as indentation"],
  ["an alias without its anchor", good.replace("42", "*seed"), "Unresolved alias"],
  ["an empty file", "", "1:1: `manifest` must be object, got null"],
  ["another document", "just text\n", "1:1: `manifest` must be object"],
])("refuses %s, once, with its line and column", (_, text, problem) => {
  const problems = refused(text);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/^experiment\.yaml:\d+:\d+: /);
  expect(problems[0]).toContain(problem);
});

it("lists every problem, and says which keys are missing", () => {
  expect(refused("name: x\nseeds: 1\n")).toEqual([
    expect.stringContaining("required properties preset, policies, repetitions, seed"),
    expect.stringContaining("2:1: unknown key `seeds`"),
  ]);
  expect(refused(`${good}settings:\n  deadline_seconds: 0\n  time_slot_count: 1.5\n`)).toHaveLength(2);
});

it.each([
  ["a loop", "loop: {deadline_seconds: [1, 2]}\n", "`loop` is for the simulator"],
  ["epochs", "epochs: 2\n", "`epochs` is for the simulator: a trial of the laboratory is one epoch, got 2"],
  [
    "a policy that knows the future",
    "",
    "`policies`: oracle runs in the simulator only",
    good.replace("edge", "oracle"),
  ],
  ["a device that is not there", "uplink_rate_ratio: {ed-4-1: 0.5}\n", "ed-4-1 is no device of these communities"],
  ["a rate of what is no device", "uplink_rate_ratio: {mec-1: 0.5}\n", "mec-1 is no device of these communities"],
  ["shares that are used twice", "settings: {readings: {shares: reused}}\n", "`settings.readings.shares` must be kept"],
])("refuses %s, which only a simulator can do", (_, line, problem, text = good) => {
  expect(refused(`${text}${line}`)).toEqual([expect.stringContaining(problem)]);
});
