import { bits, capacitance, count, cycles, hertz, joules, meters, seconds, watts } from "@offloadlab/units";
import { type Static, Type } from "typebox";
import { Errors } from "typebox/value";
import type { Arrivals, CommunitySettings, Range, Settings } from "./settings.ts";
import { problemsOf, SettingsError, type SettingsProblem } from "./settings-error.ts";

const positive = (description: string) => Type.Number({ description, exclusiveMinimum: 0 });
const nonNegative = (description: string) => Type.Number({ description, minimum: 0 });
const positiveInteger = (description: string) => Type.Integer({ description, minimum: 1 });
const name = (description: string) => Type.String({ description, minLength: 1 });
/** One of some words. */
const oneOf = <Words extends string[]>(...words: [...Words]) => Type.Enum(words, { description: words.join(" or ") });
const strict = { additionalProperties: false };

/** A number for a constant, its bounds for a range. `problemsOf` relies on the order. */
const range = (description: string) =>
  Type.Union([positive(description), Type.Object({ low: positive("from"), high: positive("to") }, strict)], {
    description,
  });

const CommunityFile = Type.Object(
  {
    name: name("what tables and figures call it"),
    device_count: positiveInteger("n"),
    bandwidth_hertz: positive("B_i"),
    signal_to_noise: positive("P g / (σ² l), linear"),
    path_loss_exponent: nonNegative("1 as printed"),
    server_clock_hertz: positive("F_i"),
    server_power_watts: positive("P_m"),
    demand: Type.Object(
      {
        delay_per_second: nonNegative("q_{i,t}"),
        energy_per_capacity: nonNegative("q_{i,e}, for a full battery"),
        success_per_task: nonNegative("q_{i,p}, for a failed task"),
      },
      strict,
    ),
    device: Type.Object(
      {
        clock_hertz: range("f_{i,j}"),
        k_joule_square_seconds: positive("k"),
        transmit_power_watts: range("P_{i,j}"),
        distance_meters: range("l_{i,j}"),
        capacity_joules: positive("b_max"),
        harvested_joules: nonNegative("e_t, in a sub-slot"),
      },
      strict,
    ),
    workload: Type.Object(
      {
        arrivals: oneOf("poisson", "c-esp", "trace"),
        trace: Type.Optional(
          Type.Object(
            {
              device_times_seconds: Type.Array(Type.Array(nonNegative("arrival"))),
              duration_seconds: positive("of the record"),
            },
            strict,
          ),
        ),
        tasks_per_time_slot: nonNegative("mean number per device"),
        data_size_bits: range("D_{i,j}"),
        work_cycles: range("C_{i,j}"),
      },
      strict,
    ),
  },
  strict,
);
type CommunityFile = Static<typeof CommunityFile>;

/** Settings as a file says them: snake_case, the unit as the last word. */
export const SettingsFile = Type.Object(
  {
    name: name("what the run's archive calls them"),
    time_slot_seconds: positive("length of a time-slot"),
    sub_slots_per_time_slot: positiveInteger("T"),
    time_slot_count: positiveInteger("H"),
    deadline_seconds: positive("T_d"),
    readings: Type.Object(
      {
        shares: oneOf("kept", "reused"),
        reward: oneOf("decision", "completion"),
        observation: oneOf("paper", "extended"),
      },
      strict,
    ),
    communities: Type.Array(CommunityFile, { minItems: 1 }),
  },
  strict,
);
export type SettingsFile = Static<typeof SettingsFile>;

/**
 * Reads the settings out of what a YAML or JSON parser returned.
 *
 * @throws SettingsError that lists every problem
 */
export const settingsFromFile = (value: unknown): Settings => {
  const shape = problemsOf(Errors(SettingsFile, value), value);
  if (shape.length > 0) throw new SettingsError(shape);
  const file = value as SettingsFile;
  const sense = contradictionsIn(file);
  if (sense.length > 0) throw new SettingsError(sense);

  return {
    name: file.name,
    timeSlot: seconds(file.time_slot_seconds),
    subSlotsPerTimeSlot: count(file.sub_slots_per_time_slot),
    timeSlotCount: count(file.time_slot_count),
    deadline: seconds(file.deadline_seconds),
    readings: file.readings,
    communities: file.communities.map(communityFromFile),
  };
};

/** Writes settings as `settingsFromFile` reads them; a range with equal bounds becomes one number. */
export const settingsToFile = (settings: Settings): SettingsFile => ({
  name: settings.name,
  time_slot_seconds: settings.timeSlot,
  sub_slots_per_time_slot: settings.subSlotsPerTimeSlot,
  time_slot_count: settings.timeSlotCount,
  deadline_seconds: settings.deadline,
  readings: settings.readings,
  communities: settings.communities.map(communityToFile),
});

const communityFromFile = (file: CommunityFile): CommunitySettings => ({
  name: file.name,
  deviceCount: count(file.device_count),
  bandwidth: hertz(file.bandwidth_hertz),
  signalToNoise: file.signal_to_noise,
  pathLossExponent: file.path_loss_exponent,
  serverClock: hertz(file.server_clock_hertz),
  serverPower: watts(file.server_power_watts),
  demand: {
    delay: file.demand.delay_per_second,
    energy: file.demand.energy_per_capacity,
    success: file.demand.success_per_task,
  },
  device: {
    clock: rangeFromFile(file.device.clock_hertz, hertz),
    k: capacitance(file.device.k_joule_square_seconds),
    transmitPower: rangeFromFile(file.device.transmit_power_watts, watts),
    distance: rangeFromFile(file.device.distance_meters, meters),
    capacity: joules(file.device.capacity_joules),
    harvested: joules(file.device.harvested_joules),
  },
  workload: {
    arrivals: arrivalsFromFile(file.workload),
    tasksPerTimeSlot: file.workload.tasks_per_time_slot,
    dataSize: rangeFromFile(file.workload.data_size_bits, bits),
    work: rangeFromFile(file.workload.work_cycles, cycles),
  },
});

const communityToFile = (community: CommunitySettings): CommunityFile => ({
  name: community.name,
  device_count: community.deviceCount,
  bandwidth_hertz: community.bandwidth,
  signal_to_noise: community.signalToNoise,
  path_loss_exponent: community.pathLossExponent,
  server_clock_hertz: community.serverClock,
  server_power_watts: community.serverPower,
  demand: {
    delay_per_second: community.demand.delay,
    energy_per_capacity: community.demand.energy,
    success_per_task: community.demand.success,
  },
  device: {
    clock_hertz: rangeToFile(community.device.clock),
    k_joule_square_seconds: community.device.k,
    transmit_power_watts: rangeToFile(community.device.transmitPower),
    distance_meters: rangeToFile(community.device.distance),
    capacity_joules: community.device.capacity,
    harvested_joules: community.device.harvested,
  },
  workload: {
    ...arrivalsToFile(community.workload.arrivals),
    tasks_per_time_slot: community.workload.tasksPerTimeSlot,
    data_size_bits: rangeToFile(community.workload.dataSize),
    work_cycles: rangeToFile(community.workload.work),
  },
});

const arrivalsFromFile = ({ arrivals, trace }: CommunityFile["workload"]): Arrivals =>
  arrivals === "trace"
    ? { times: trace?.device_times_seconds ?? [], duration: seconds(trace?.duration_seconds ?? 0) }
    : arrivals;

const arrivalsToFile = (arrivals: Arrivals): Pick<CommunityFile["workload"], "arrivals" | "trace"> =>
  typeof arrivals === "string"
    ? { arrivals }
    : {
        arrivals: "trace",
        trace: {
          device_times_seconds: arrivals.times.map((times) => [...times]),
          duration_seconds: arrivals.duration,
        },
      };

type RangeFile = number | { low: number; high: number };

const rangeFromFile = <Q extends number>(file: RangeFile, quantity: (value: number) => Q): Range<Q> =>
  typeof file === "number"
    ? { low: quantity(file), high: quantity(file) }
    : { low: quantity(file.low), high: quantity(file.high) };

const rangeToFile = ({ low, high }: Range<number>): RangeFile => (low === high ? low : { low, high });

const isBounds = (value: unknown): value is { low: number; high: number } =>
  typeof value === "object" && value !== null && "low" in value && "high" in value;

/** A trace has to be there when it is asked for, and to suffice. */
const traceProblemsIn = (
  file: SettingsFile,
  { device_count, workload: { arrivals, trace } }: CommunityFile,
  path: (string | number)[],
): SettingsProblem[] => {
  if (trace === undefined) {
    return arrivals === "trace" ? [{ path: [...path, "trace"], expected: "a value", got: undefined }] : [];
  }
  if (arrivals !== "trace")
    return [{ path: [...path, "arrivals"], expected: "trace, for there is one", got: arrivals }];
  const problems: SettingsProblem[] = [];
  const { device_times_seconds: times, duration_seconds: duration } = trace;
  const add = (key: keyof typeof trace, expected: string, got: unknown) =>
    problems.push({ path: [...path, "trace", key], expected, got });
  const epoch = file.time_slot_seconds * file.time_slot_count;
  if (times.length < device_count) add("device_times_seconds", `arrivals of ${device_count} devices`, times.length);
  if (duration < epoch) add("duration_seconds", `at least an epoch of ${epoch} s`, duration);
  return problems;
};

/** What a schema cannot say: bounds in order, names that tell communities apart. */
const contradictionsIn = (file: SettingsFile): SettingsProblem[] =>
  file.communities.flatMap((community, index) => {
    const problems: SettingsProblem[] = [];
    const path = ["communities", index];
    if (file.communities.findIndex((other) => other.name === community.name) < index) {
      problems.push({ path: [...path, "name"], expected: "a name of its own", got: community.name });
    }
    for (const group of ["device", "workload"] as const) {
      for (const [key, value] of Object.entries<unknown>(community[group])) {
        if (!isBounds(value) || value.low <= value.high) continue;
        problems.push({ path: [...path, group, key], expected: "low to be at most high", got: value });
      }
    }
    return [...problems, ...traceProblemsIn(file, community, [...path, "workload"])];
  });
