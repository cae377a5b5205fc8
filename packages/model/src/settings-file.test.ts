import { seconds } from "@offloadlab/units";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { paper, presets, testbed } from "./presets.ts";
import { SettingsError } from "./settings-error.ts";
import { type SettingsFile, settingsFromFile, settingsToFile } from "./settings-file.ts";

/** A file with one value replaced. */
const withValue = (path: (string | number)[], value: unknown): unknown => {
  const file: unknown = structuredClone(settingsToFile(testbed));
  let node = file as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) node = node[key] as Record<string | number, unknown>;
  node[path.at(-1) as string | number] = value;
  return file;
};

const problemsIn = (file: unknown) => {
  try {
    settingsFromFile(file);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
  }
  return [];
};

it.each(Object.entries(presets))("preset %s survives the file exactly", (_name, settings) => {
  expect(settingsFromFile(settingsToFile(settings))).toEqual(settings);
  expect(settingsFromFile(JSON.parse(JSON.stringify(settingsToFile(settings))))).toEqual(settings);
});

it("any ranges survive the file exactly", () => {
  const bound = fc.double({ min: 1e-3, max: 1e12, noNaN: true });
  fc.assert(
    fc.property(bound, bound, fc.integer({ min: 1, max: 1000 }), (a, b, n) => {
      const file = settingsToFile(testbed) as SettingsFile;
      const [community] = file.communities;
      if (!community) return;
      community.device_count = n;
      community.workload.work_cycles = a === b ? a : { low: Math.min(a, b), high: Math.max(a, b) };
      expect(settingsToFile(settingsFromFile(file))).toEqual(file);
    }),
  );
});

it("arrivals of a trace survive the file exactly", () => {
  const arrivals = { times: [[0, 1.5], [2], []], duration: seconds(20) };
  const communities = testbed.communities.map((each) => ({ ...each, workload: { ...each.workload, arrivals } }));
  const settings = { ...testbed, communities };
  expect(settingsFromFile(JSON.parse(JSON.stringify(settingsToFile(settings))))).toEqual(settings);
});

it.each([
  ["fewer devices than the community has", { device_times_seconds: [[0], [1]], duration_seconds: 30 }, "3 devices"],
  ["a record shorter than an epoch", { device_times_seconds: [[], [], []], duration_seconds: 19 }, "an epoch of 20 s"],
  ["no record", undefined, "expected a value, got nothing"],
])("refuses a trace with %s", (_what, trace, message) => {
  const file = withValue(["communities", 0, "workload", "arrivals"], "trace") as SettingsFile;
  const [community] = file.communities;
  if (community && trace) community.workload.trace = trace;
  expect(() => settingsFromFile(file)).toThrow(message);
});

it("writes units as the last words of the names, and constants as one number", () => {
  const file = settingsToFile(testbed);
  expect(file).toMatchObject({ deadline_seconds: 1.5, time_slot_seconds: 1 });
  expect(file.communities[0]).toMatchObject({
    bandwidth_hertz: 15e6,
    device: { clock_hertz: 1.5e9, transmit_power_watts: { low: 0.1, high: 0.4 } },
    workload: { data_size_bits: { low: 4e6, high: 12e6 } },
  });
});

describe("refuses", () => {
  const first = ["communities", 0];

  it.each([
    ["an unknown key", ["deadline"], 1, "no such key"],
    ["a word that it does not know", ["readings", "shares"], "some", "one of kept, reused"],
    ["an unknown key inside", [...first, "device", "clock"], 1, "no such key"],
    ["a deadline of 0", ["deadline_seconds"], 0, "more than 0"],
    ["a text for a number", ["time_slot_seconds"], "1 s", "a number"],
    ["half a device", [...first, "device_count"], 2.5, "an integer"],
    ["no device", [...first, "device_count"], 0, "at least 1"],
    ["a negative harvest", [...first, "device", "harvested_joules"], -1, "at least 0"],
    ["no community", ["communities"], [], "it not to be empty"],
    ["a nameless community", [...first, "name"], "", "it not to be empty"],
    ["two communities of one name", ["communities", 2, "name"], "R1", "a name of its own"],
    ["a text for a range", [...first, "workload", "work_cycles"], "1e9", "a number or {low, high}"],
    ["a list for keys", [...first, "workload"], 3, "keys"],
    ["a constant of 0", [...first, "device", "clock_hertz"], 0, "more than 0"],
    ["bounds in the wrong order", [...first, "workload", "work_cycles"], { low: 2, high: 1 }, "low to be at most high"],
    ["not a number", ["deadline_seconds"], Number.NaN, "a number"],
  ])("%s", (_what, path, value, expected) => {
    expect(problemsIn(withValue(path, value))).toEqual([{ path, expected, got: value }]);
  });

  it("a bound that is missing and one that is negative, each at its place", () => {
    const path = [...first, "workload", "work_cycles"];
    expect(problemsIn(withValue(path, { low: -1 }))).toEqual([
      { path: [...path, "high"], expected: "a value", got: undefined },
      { path: [...path, "low"], expected: "more than 0", got: -1 },
    ]);
  });

  it.each([undefined, null, 3, "paper", []])("%j, which is no settings at all", (value) => {
    expect(problemsIn(value)).toMatchObject([{ path: [], expected: "keys" }]);
  });
});

it("an error says path, expectation and value, one problem for each line", () => {
  const { name: _name, ...file } = settingsToFile(paper);
  expect(() => settingsFromFile({ ...file, deadline_seconds: -1 })).toThrow(
    "`name`: expected a value, got nothing\n`deadline_seconds`: expected more than 0, got -1",
  );
});
