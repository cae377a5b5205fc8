import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { presets } from "@offloadlab/model";
import { afterAll, expect, it } from "vitest";
import { type Experiment, readExperiment } from "./experiment.ts";
import { readTraceFile } from "./trace-source.ts";
import { settingsOf, type TrainingChoice } from "./training-choice.ts";

const good = `name: bandwidths
preset: paper
policies: [local, greedy]
repetitions: 3
seed: 42
`;

const accepted = (text: string): Experiment => {
  const experiment = readExperiment(text, "sweep.yaml", readTraceFile);
  if ("problems" in experiment) expect.fail(experiment.problems.join("\n"));
  return experiment;
};
const refused = (text: string): readonly string[] => {
  const experiment = readExperiment(text, "sweep.yaml", readTraceFile);
  return "problems" in experiment ? experiment.problems : expect.fail("was accepted");
};

const folder = mkdtempSync(join(tmpdir(), "experiment-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("without a loop has one point, of one epoch", () => {
  expect(accepted(good)).toMatchObject({ epochs: 1, points: [{ variables: {}, settings: presets.paper }] });
});

it("trains methods that learn, 60 epochs of set networks unless it says otherwise", () => {
  expect(accepted(good).points[0]?.training).toEqual({ epochs: 60, networks: "set", hyperparameters: "recommended" });
  const text = `${good.replace("greedy", "pfr-oa")}training: {epochs: 5, networks: flat}\n`;
  expect(accepted(text)).toMatchObject({
    policies: ["local", "pfr-oa"],
    points: [{ training: { epochs: 5, networks: "flat", hyperparameters: "recommended" } }],
  });
});

it("reads Algorithms 1 and 2 to the letter where it is told to", () => {
  const readings = "{actor_turns: epochs, ranking: raw, picks: repeated, targets: restarted}";
  const text = `${good.replace("greedy", "pfr-oa")}training: {readings: ${readings}}\n`;
  const training = accepted(text).points[0]?.training as TrainingChoice;
  const literal = { ranking: "raw", picks: "repeated", targets: "restarted" };
  expect(settingsOf("pfr-oa", training)).toMatchObject({ agent: { actorTurns: "epochs" }, federation: literal });
  // A learner without a federation has only Algorithm 1 to read.
  expect(settingsOf("td3", training)).toMatchObject({ agent: { actorTurns: "epochs" }, federation: undefined });
  expect(refused(text.replace("raw", "rare")).join("\n")).toMatch(/ranking/);
});

it("federates as it is told to: PFR-OA with other settings is MCF-TD3", () => {
  const federation = "{participant_count: all, greedy_probability: 1, global_share_ratio: 1, lambda_step: 0}";
  const text = `${good.replace("greedy", "pfr-oa")}training: {federation: ${federation}}\n`;
  const training = accepted(text).points[0]?.training as TrainingChoice;
  expect(settingsOf("pfr-oa", training).federation).toEqual(settingsOf("mcf-td3", training).federation);
  expect(settingsOf("td3", training).federation).toBeUndefined();
  const looped = accepted(`${text}loop: {training.federation.federate_every: [5, 20]}\n`).points;
  expect(
    looped.map((point) => settingsOf("pfr-oa", point.training as TrainingChoice).federation?.federateEvery),
  ).toEqual([5, 20]);
  expect(refused(text.replace("participant_count: all", "participant_count: some")).join("\n")).toMatch(
    /participant_count/,
  );
  expect(refused(text.replace("lambda_step: 0", "lambda_step: -1")).join("\n")).toMatch(/lambda_step/);
  expect(refused(text.replace("participant_count: all", "participant_count: 4")).join("\n")).toMatch(
    /participant_count` must be at most the 3 communities, got 4/,
  );
});

it("makes a point of every combination, the last variable fastest", () => {
  const { points } = accepted(
    `${good}loop:\n  deadline_seconds: [1, 2]\n  communities.each.bandwidth_hertz: [5e6, 15e6]\n`,
  );
  expect(points.map(({ variables }) => variables)).toEqual([
    { deadline_seconds: 1, bandwidth_hertz: 5e6 },
    { deadline_seconds: 1, bandwidth_hertz: 15e6 },
    { deadline_seconds: 2, bandwidth_hertz: 5e6 },
    { deadline_seconds: 2, bandwidth_hertz: 15e6 },
  ]);
  expect(points.map(({ settings }) => [settings.deadline, settings.communities[2]?.bandwidth])).toEqual([
    [1, 5e6],
    [1, 15e6],
    [2, 5e6],
    [2, 15e6],
  ]);
});

it("changes each community, and those that it names", () => {
  const { points } = accepted(
    `${good}settings:\n  communities:\n    each: {device_count: 5}\n    R2: {device_count: 7, device: {capacity_joules: 60}}\n`,
  );
  const communities = points[0]?.settings.communities ?? [];
  expect(communities.map(({ name, deviceCount, device }) => [name, deviceCount, device.capacity])).toEqual([
    ["R1", 5, 120],
    ["R2", 7, 60],
    ["R3", 5, 120],
  ]);
});

it("loops over one community, over presets, and over bounds", () => {
  const { points } = accepted(
    `${good}loop:\n  preset: [paper, testbed]\n  communities.R2.workload.work_cycles: [1e9, {low: 1e9, high: 2e9}]\n`,
  );
  expect(points.map(({ variables }) => variables["work_cycles"])).toEqual([
    "1000000000",
    '{"low":1000000000,"high":2000000000}',
    "1000000000",
    '{"low":1000000000,"high":2000000000}',
  ]);
  expect(points.map(({ settings }) => settings.name)).toEqual(["paper", "paper", "testbed", "testbed"]);
  expect(points[3]?.settings.communities[1]?.workload.work).toEqual({ low: 1e9, high: 2e9 });
  expect(points[3]?.settings.communities[0]?.workload.work).toEqual({ low: 1e9, high: 1.2e9 });
});

it("keeps paths apart that end in the same word", () => {
  const { points } = accepted(
    `${good}loop:\n  communities.R1.bandwidth_hertz: [5e6]\n  communities.R2.bandwidth_hertz: [6e6]\n`,
  );
  expect(points[0]?.variables).toEqual({
    "communities.R1.bandwidth_hertz": 5e6,
    "communities.R2.bandwidth_hertz": 6e6,
  });
});

it.each([
  [
    "a loop value out of range",
    "loop:\n  communities.each.bandwidth_hertz: [5e6, -1]\n",
    "sweep.yaml:7:3: `settings.communities.0.bandwidth_hertz` must be more than 0, got -1",
  ],
  [
    "a loop over what does not exist",
    "loop:\n  communities.each.bandwith_hertz: [5e6]\n",
    "sweep.yaml:7:3: `settings.communities.0.bandwith_hertz` must be no such key, got 5000000",
  ],
  [
    "a community that does not exist",
    "settings:\n  communities:\n    R9: {device_count: 5}\n",
    "sweep.yaml:6:1: `settings.communities.R9` must be no such key",
  ],
  [
    "a bad value for a community by name",
    "settings:\n  communities:\n    R2: {device_count: 0}\n",
    "sweep.yaml:8:10: `settings.communities.1.device_count` must be at least 1, got 0",
  ],
  ["a preset that does not exist", "loop: {preset: [paper, papier]}\n", "sweep.yaml:6:8: `loop.preset` must be one of"],
  [
    "a loop without values",
    "loop: {deadline_seconds: []}\n",
    "`loop.deadline_seconds` must not have fewer than 1 items",
  ],
  ["a loop variable without a list", "loop: {deadline_seconds: 1}\n", "`loop.deadline_seconds` must be array, got 1"],
])("refuses %s with its line and column", (_, lines, problem) => {
  expect(refused(`${good}${lines}`).join("\n")).toContain(problem);
});

const trace = ["time,user,server"];
for (let second = 0; second <= 1500; second += 15) for (const user of ["a", "b"]) trace.push(`${second},${user},s`);

it("replays a trace, compressed until the devices have the tasks that the settings ask for", () => {
  const file = join(folder, "trace.csv");
  writeFileSync(file, `${trace.join("\n")}\n`);
  const settings = `settings: {communities: {each: {device_count: 2}, R1: {workload: {arrivals: trace, trace: {file: ${file}`;
  expect(refused(`${good}${settings}}}}}}\n`)[0]).toContain("expected at least 3 servers");
  writeFileSync(file, `${[...trace, "0,a,t", "1,b,t", "0,a,u", "1,b,u"].join("\n")}\n`);

  const compressed = accepted(`${good}${settings}}}}}}\n`).points[0]?.settings.communities[0]?.workload.arrivals;
  expect(compressed).toMatchObject({ duration: 101, times: [{ length: 101 }, { length: 101 }] });
  const asGiven = accepted(`${good}${settings}, compression_ratio: 15}}}}}\n`).points[0]?.settings.communities[0];
  expect(asGiven?.workload.arrivals).toMatchObject({ duration: 100 });

  writeFileSync(file, `${trace.join("\n")}\n1516,a\n`);
  expect(refused(`${good}${settings}}}}}}\n`)[0]).toMatch(/trace\.csv:204:\d+: expected a server/);
  expect(refused(`${good}${settings}.gone}}}}}\n`)[0]).toContain("no such file");
});

it("loops over how methods are trained, apart from the settings", () => {
  const { points } = accepted(
    `${good.replace("greedy", "pfr-oa")}training: {epochs: 5}\nloop:\n  training.discount_ratio: [0.1, 0.9]\n`,
  );
  expect(points.map(({ variables, training }) => [variables, training.discount, training.epochs])).toEqual([
    [{ discount_ratio: 0.1 }, 0.1, 5],
    [{ discount_ratio: 0.9 }, 0.9, 5],
  ]);
  expect(points.map(({ settings }) => settings)).toEqual([presets.paper, presets.paper]);
});

it("trains at each point, or once in the world without loop values", () => {
  const loop = "loop:\n  communities.each.server_clock_hertz: [10e9, 30e9]\n";
  const clocks = (text: string) =>
    accepted(text).points.map(({ settings, trainedIn }) =>
      [settings, trainedIn].map((world) => world?.communities[0]?.serverClock),
    );
  expect(clocks(good + loop)).toEqual([
    [10e9, undefined],
    [30e9, undefined],
  ]);
  expect(clocks(`${good}training: {at: base}\n${loop}`)).toEqual([
    [10e9, 20e9],
    [30e9, 20e9],
  ]);
});

it.each([
  ["training: {joins: {R9: 3}}\n", "`training.joins` names no community of the preset: R9"],
  ["training: {discount_ratio: 1}\n", "training.discount_ratio"],
  ["training: {epoch: 5}\n", "unknown key"],
  ["loop:\n  training.discount_ratio: [0.5, 1]\n", "`training.discount_ratio` cannot be 1"],
  ["loop:\n  training.gamma: [0.5]\n", "`training.gamma` cannot be 0.5"],
])("refuses %j", (addition, message) => {
  expect(refused(good + addition).join("\n")).toContain(message);
});
