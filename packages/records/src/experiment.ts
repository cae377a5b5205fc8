import { presets, type Settings, SettingsError, settingsFromFile, settingsToFile } from "@offloadlab/model";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { type Contestants, PoliciesFile, type PolicySourceReader, readContestants } from "./contestants.ts";
import { type LaboratoryChoice, laboratoryChoice, laboratoryKeys } from "./laboratory-keys.ts";
import type { LoopValue } from "./sweep-rows.ts";
import { resolveTraces, type TraceSource } from "./trace-source.ts";
import { type TrainingChoice, TrainingFile, trainingChoice } from "./training-choice.ts";
import { readYaml, type YamlText } from "./yaml-text.ts";

const names = (list: readonly string[]) => Type.Enum([...list]);

const ExperimentFile = Type.Object(
  {
    /** What the run is called in tables and folders. */
    name: Type.String({ pattern: "^[a-z0-9][a-z0-9-]{0,39}$" }),
    preset: names(Object.keys(presets)),
    /**
     * Changes to the preset, in the layout of a settings file; objects are merged, anything else is replaced. A map of
     * communities changes those that it names, and with `each` all of them.
     */
    settings: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    /** Values of settings, by path, or of `preset`; every combination is a point of the experiment. */
    loop: Type.Optional(Type.Record(Type.String(), Type.Array(Type.Unknown(), { minItems: 1, uniqueItems: true }))),
    policies: PoliciesFile,
    /** How often each policy is run; the same repetition of every policy has the same arrivals. */
    repetitions: Type.Integer({ minimum: 1, maximum: 10_000 }),
    /** How many epochs a simulated repetition lasts. */
    epochs: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    /** How methods that learn are trained, before they are evaluated; `training.*` may be looped over. */
    training: Type.Optional(TrainingFile),
    seed: Type.Integer({ minimum: 0, maximum: 4_294_967_295 }),
    /** Lab seconds per real second, for emulated hardware only. */
    clock_speed_ratio: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 100 })),
    ...laboratoryKeys,
  },
  { additionalProperties: false },
);
type ExperimentFile = Static<typeof ExperimentFile>;

/** One combination of loop values. */
export interface Point {
  /** By the last word of their path, or by the path where two end alike. */
  readonly variables: Readonly<Record<string, LoopValue>>;
  readonly settings: Settings;
  readonly training: TrainingChoice;
  /** The world that methods are trained in, where it is not the point's own. */
  readonly trainedIn?: Settings;
}

/** An experiment: which policies are compared, in which worlds, how often. */
export interface Experiment extends Contestants {
  readonly name: string;
  /** Without loop variables there is one. */
  readonly points: readonly Point[];
  readonly repetitions: number;
  readonly epochs: number;
  readonly seed: number;
  readonly clockSpeed: number;
  readonly laboratory: LaboratoryChoice;
}

/** What is wrong with a manifest: `file:line:column: what`. */
export interface ManifestProblems {
  readonly problems: readonly string[];
}

/**
 * Reads an experiment's manifest: the same file drives simulator, rehearsal and hardware.
 *
 * @param file its name, for the problems
 * @param traces reads the traces that the manifest names; without it they are a problem
 * @param sources finds the policies from outside
 */
export const readExperiment = (
  text: string,
  file: string,
  traces?: TraceSource,
  sources?: PolicySourceReader,
): Experiment | ManifestProblems => {
  const yaml = readYaml(text, file);
  if ("problems" in yaml) return yaml;
  const validator = Compile(ExperimentFile);
  const { value } = yaml;
  if (!validator.Check(value)) {
    return { problems: [...validator.Errors(value)].flatMap((error) => problemsOf(error, yaml)) };
  }
  return resolve(value, yaml, traces, sources);
};

const problemsOf = (
  error: { keyword: string; instancePath: string; message: string; params: unknown },
  { value, at }: YamlText,
): string[] => {
  const path = error.instancePath.split("/").slice(1).map(unescaped);
  if (error.keyword === "additionalProperties") {
    const known = Object.keys(propertiesAt(path)).join(", ");
    const extra = (error.params as { additionalProperties: string[] }).additionalProperties;
    return extra.map((key) => `${at([...path, key])}: unknown key \`${key}\`; known are ${known}`);
  }
  // Each unknown key has an error of its own besides, with the keyword `boolean`.
  if (error.keyword === "boolean") return [];
  const expected =
    error.keyword === "enum"
      ? `must be one of ${(error.params as { allowedValues: string[] }).allowedValues.join(", ")}`
      : error.message;
  return [`${at(path)}: \`${path.join(".") || "manifest"}\` ${expected}, got ${JSON.stringify(valueAt(value, path))}`];
};

/** The keys that an object of the manifest can have. */
const propertiesAt = (path: readonly string[]): Readonly<Record<string, unknown>> => {
  const properties = (schema: unknown) =>
    (schema as { properties?: Readonly<Record<string, unknown>> }).properties ?? {};
  return path.reduce((inner, key) => properties(inner[key]), properties(ExperimentFile));
};

const resolve = (
  file: ExperimentFile,
  yaml: YamlText,
  traces: TraceSource | undefined,
  readSource: PolicySourceReader | undefined,
): Experiment | ManifestProblems => {
  const problems: string[] = [];
  const contestants = readContestants(file.policies, readSource, (index, what) =>
    problems.push(`${yaml.at(["policies", String(index)])}: \`policies.${index}\` ${what}`),
  );
  const loops = Object.entries(file.loop ?? {});
  const points = combinations(loops).flatMap((assignments): Point[] => {
    const preset = assignments.find(({ path }) => path === "preset")?.value ?? file.preset;
    if (!(String(preset) in presets)) {
      problems.push(
        `${yaml.at(["loop", "preset"])}: \`loop.preset\` must be one of ${Object.keys(presets).join(", ")}`,
      );
      return [];
    }
    const ofTraining = assignments.filter(({ path }) => path.startsWith("training."));
    const training = trainingChoice(
      ofTraining.reduce<unknown>(
        (changed, { path, value }) => merged(changed, nested(path.slice(9), value)),
        file.training ?? {},
      ),
    );
    if (training === undefined) {
      problems.push(
        ...ofTraining.map(
          ({ path, value }) => `${yaml.at(["loop", path])}: \`${path}\` cannot be ${JSON.stringify(value)}`,
        ),
      );
      return [];
    }
    const strangers = Object.keys(training.joins ?? {}).filter(
      (name) => !namesOf(presets[preset as keyof typeof presets]).includes(name),
    );
    problems.push(
      ...strangers.map(
        (name) =>
          `${yaml.at(["training", "joins", name])}: \`training.joins\` names no community of the preset: ${name}`,
      ),
    );
    const base = settingsToFile(presets[preset as keyof typeof presets]);
    const ofSettings = assignments.filter((each) => each.path !== "preset" && !ofTraining.includes(each));
    const unchanged = changedSettings(base, file.settings ?? {});
    const changed = ofSettings.reduce<unknown>(
      (settings, { path, value }) => changedSettings(settings, nested(path, value)),
      unchanged,
    );
    const worlds = [changed, unchanged].map((world) => resolveTraces(world, traces));
    const [own, trainedIn] = worlds as [(typeof worlds)[number], (typeof worlds)[number]];
    if ("problems" in own || "problems" in trainedIn) {
      const all = worlds.flatMap((world) => ("problems" in world ? world.problems : []));
      problems.push(...all.map((what) => `${yaml.at(["settings"])}: ${what}`));
      return [];
    }
    try {
      const variables = assignments.map(
        ({ path, value }) => [shortName(path, loops), loopValue(value, file.loop?.[path] ?? [])] as const,
      );
      const settings = settingsFromFile(own.settings);
      const participants = Number(training.federation?.participant_count ?? 1);
      if (participants > settings.communities.length) {
        problems.push(
          `${yaml.at(["training", "federation", "participant_count"])}: \`training.federation.participant_count\` must be at most the ${settings.communities.length} communities, got ${participants}`,
        );
      }
      return [
        {
          variables: Object.fromEntries(variables),
          settings,
          training,
          ...(file.training?.at === "base" ? { trainedIn: settingsFromFile(trainedIn.settings) } : {}),
        },
      ];
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      problems.push(...settingsProblems(error, changed, loops, yaml));
      return [];
    }
  });
  if (problems.length > 0) return { problems: [...new Set(problems)] };
  return {
    name: file.name,
    points,
    ...contestants,
    repetitions: file.repetitions,
    epochs: file.epochs ?? 1,
    seed: file.seed,
    clockSpeed: file.clock_speed_ratio ?? 1,
    laboratory: laboratoryChoice(file),
  };
};

type Loop = readonly [path: string, values: readonly unknown[]];

interface Assignment {
  readonly path: string;
  readonly value: unknown;
}

/** The cross product of loop variables, the last one fastest. */
const combinations = (loops: readonly Loop[]): Assignment[][] =>
  loops.reduce<Assignment[][]>(
    (products, [path, values]) => products.flatMap((product) => values.map((value) => [...product, { path, value }])),
    [[]],
  );

const shortName = (path: string, loops: readonly Loop[]): string => {
  const last = (other: string): string => other.slice(other.lastIndexOf(".") + 1);
  return loops.filter(([other]) => last(other) === last(path)).length === 1 ? last(path) : path;
};

/** A value as tables have it: a column holds numbers, truth values or texts. */
const loopValue = (value: unknown, values: readonly unknown[]): LoopValue => {
  const isColumnOf = (type: string): boolean => values.every((each) => typeof each === type);
  if (isColumnOf("number") || isColumnOf("boolean") || typeof value === "string") return value as LoopValue;
  return JSON.stringify(value);
};

/** `a.b` and a value make {a: {b: value}}. */
const nested = (path: string, value: unknown): unknown =>
  path.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);

/** Where a settings problem is: under the loop variable or the key that set it. */
const settingsProblems = (
  error: SettingsError,
  settings: unknown,
  loops: readonly Loop[],
  { at }: YamlText,
): string[] => {
  const communities = (settings as { communities?: unknown }).communities;
  return error.problems.map(({ path, expected, got }) => {
    const what = `\`${["settings", ...path].join(".")}\` must be ${expected}, got ${JSON.stringify(got)}`;
    const [first, index, ...rest] = path;
    const name = first === "communities" ? nameAt(communities, index) : undefined;
    const paths =
      name === undefined ? [path] : [path, ["communities", name, ...rest], ["communities", "each", ...rest]];
    const loop = loops.find(([key]) => paths.some((each) => isPrefix(key.split("."), each)));
    if (loop !== undefined) return `${at(["loop", loop[0]])}: ${what}`;
    // The most precise of the places that the path can stand for.
    const places = paths.map((each) => at(["settings", ...each]));
    return `${places.reduce((best, place) => (later(place, best) ? place : best))}: ${what}`;
  });
};

const nameAt = (communities: unknown, index: string | number | undefined): string | undefined =>
  Array.isArray(communities) ? (communities[Number(index)] as { name?: string } | undefined)?.name : undefined;

const isPrefix = (key: readonly string[], path: readonly (string | number)[]): boolean =>
  key.every((part, i) => part === String(path[i]));

const later = (place: string, other: string): boolean => {
  const position = (text: string): number => {
    const [line = 0, column = 0] = text.split(":").slice(-2).map(Number);
    return line * 1e6 + column;
  };
  return position(place) > position(other);
};

const namesOf = ({ communities }: Settings): string[] => communities.map(({ name }) => name);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Settings with a change: communities may be changed by their names and by `each`. */
const changedSettings = (settings: unknown, change: unknown): unknown => {
  const base = settings as Record<string, unknown>;
  const { communities, ...others } = change as Record<string, unknown>;
  const changed = merged(base, others) as Record<string, unknown>;
  if (communities === undefined) return changed;
  const list = base["communities"];
  if (!isObject(communities) || !Array.isArray(list)) return { ...changed, communities };
  const { each = {}, ...named } = communities;
  const known = new Set(list.map((community: { name?: string }) => community.name));
  const strangers = Object.keys(named).filter((name) => !known.has(name));
  return {
    ...changed,
    communities: list.map((community: { name?: string }) =>
      merged(merged(community, each), named[community.name ?? ""] ?? {}),
    ),
    // An unknown key of the settings: it is reported as such, with its place.
    ...Object.fromEntries(strangers.map((name) => [`communities.${name}`, named[name]])),
  };
};

const merged = (base: unknown, change: unknown): unknown => {
  if (!isObject(base) || !isObject(change)) return change;
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(change)) result[key] = key in base ? merged(base[key], value) : value;
  return result;
};

const valueAt = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);

/** A segment of a JSON pointer, RFC 6901. */
const unescaped = (segment: string): string => segment.replaceAll("~1", "/").replaceAll("~0", "~");
