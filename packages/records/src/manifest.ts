import { presets, type Settings, SettingsError, settingsFromFile, settingsToFile } from "@offloadlab/model";
import { type PolicyName, policyNames } from "@offloadlab/policies";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";

const Manifest = Type.Object(
  {
    /** What the run is called in tables and folders. */
    name: Type.String({ pattern: "^[a-z0-9][a-z0-9-]{0,39}$" }),
    preset: Type.Union(Object.keys(presets).map((name) => Type.Literal(name))),
    /** Changes to the preset, in the layout of a settings file; objects are merged, anything else is replaced. */
    settings: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    policies: Type.Array(Type.Union(policyNames.map((name) => Type.Literal(name))), { minItems: 1, uniqueItems: true }),
    /** How often each policy is run; the same repetition of every policy has the same arrivals. */
    repetitions: Type.Integer({ minimum: 1, maximum: 10_000 }),
    seed: Type.Integer({ minimum: 0, maximum: 4_294_967_295 }),
    /** Lab seconds per real second, for emulated hardware only. */
    clock_speed_ratio: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 100 })),
  },
  { additionalProperties: false },
);

/** An experiment: which policies are compared, in which world, how often. */
export interface Manifest {
  readonly name: string;
  readonly settings: Settings;
  readonly policies: readonly PolicyName[];
  readonly repetitions: number;
  readonly seed: number;
  readonly clockSpeed: number;
}

/** What is wrong with a manifest: `file:line:column: what`. */
export interface ManifestProblems {
  readonly problems: readonly string[];
}

/**
 * Reads `experiment.yaml`: the same manifest drives simulator, rehearsal and hardware.
 *
 * @param file its name, for the problems
 */
export const readManifest = (text: string, file: string): Manifest | ManifestProblems => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    return { problems: document.errors.map((error) => `${place(error.pos[0])}: ${error.message.split("\n")[0]}`) };
  }
  const at = (path: readonly string[]): string => place(offsetOf(document.contents, path));
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    // Aliases are resolved only here: one without an anchor is no error of the parser's.
    return { problems: [`${place(0)}: ${(error as Error).message}`] };
  }
  const validator = Compile(Manifest);
  if (!validator.Check(value)) {
    return {
      problems: [...validator.Errors(value)].flatMap((error) => {
        const path = error.instancePath.split("/").slice(1);
        if (error.keyword === "additionalProperties") {
          const known = Object.keys(Manifest.properties).join(", ");
          const extra = (error.params as { additionalProperties: string[] }).additionalProperties;
          return extra.map((key) => `${at([...path, key])}: unknown key \`${key}\`; known are ${known}`);
        }
        // Each unknown key has an error of its own besides, with the keyword `boolean`.
        if (error.keyword === "const" || error.keyword === "boolean") return [];
        const expected =
          path[0] === "policies" && path.length > 1
            ? `must be one of ${policyNames.join(", ")}`
            : path[0] === "preset"
              ? `must be one of ${Object.keys(presets).join(", ")}`
              : error.message;
        return [
          `${at(path)}: \`${path.join(".") || "manifest"}\` ${expected}, got ${JSON.stringify(valueAt(value, path))}`,
        ];
      }),
    };
  }
  return resolve(value, (path) => at(["settings", ...path]));
};

const resolve = (
  manifest: Static<typeof Manifest>,
  at: (path: readonly string[]) => string,
): Manifest | ManifestProblems => {
  const preset = presets[manifest.preset as keyof typeof presets];
  try {
    return {
      name: manifest.name,
      settings: settingsFromFile(merged(settingsToFile(preset), manifest.settings ?? {})),
      policies: manifest.policies as readonly PolicyName[],
      repetitions: manifest.repetitions,
      seed: manifest.seed,
      clockSpeed: manifest.clock_speed_ratio ?? 1,
    };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return {
      problems: error.problems.map(({ path, expected, got }) => {
        const key = ["settings", ...path].join(".");
        return `${at(path.map(String))}: \`${key}\` must be ${expected}, got ${JSON.stringify(got)}`;
      }),
    };
  }
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const merged = (base: unknown, change: unknown): unknown => {
  if (!isObject(base) || !isObject(change)) return change;
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(change)) result[key] = key in base ? merged(base[key], value) : value;
  return result;
};

const valueAt = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);

/** Offset of the node at a path, or of the nearest one above it that exists. */
const offsetOf = (root: Node | null, path: readonly string[]): number => {
  let node: Node | null | undefined = root;
  let offset = root?.range?.[0] ?? 0;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
      if (pair === undefined) return offset;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value as Node | null;
    } else if (isSeq(node)) {
      node = node.items[Number(key)] as Node | undefined;
      offset = node?.range?.[0] ?? offset;
    } else if (isAlias(node) || node === undefined || node === null) {
      return offset;
    }
  }
  return offset;
};
