import type { TLocalizedValidationError } from "typebox/error";

/** One thing that is wrong in a settings file. */
export interface SettingsProblem {
  /** Keys and indices from the top, as YAML libraries take them to find a line. */
  readonly path: readonly (string | number)[];
  /** Completes "expected ...". */
  readonly expected: string;
  /** The value found, `undefined` for a missing key. */
  readonly got: unknown;
}

/** Settings that cannot be used, with every reason. */
export class SettingsError extends RangeError {
  readonly problems: readonly SettingsProblem[];

  constructor(problems: readonly SettingsProblem[]) {
    super(
      problems
        .map(
          ({ path, expected, got }) => `\`${path.join(".") || "settings"}\`: expected ${expected}, got ${shown(got)}`,
        )
        .join("\n"),
    );
    this.name = "SettingsError";
    this.problems = problems;
  }
}

/**
 * Translates what the schema's validator found in `root`, one problem for each place.
 *
 * A range is a union of a number and of bounds, in this order; the validator complains about both. What counts is the
 * branch that the value seems to mean.
 */
export const problemsOf = (errors: readonly TLocalizedValidationError[], root: unknown): SettingsProblem[] => {
  const ranges = errors.filter((error) => error.keyword === "anyOf").map((error) => error.instancePath);

  return errors.flatMap((error): SettingsProblem[] => {
    const { path, value } = find(root, error.instancePath);
    const range = ranges.find((start) => `${error.instancePath}/`.startsWith(`${start}/`));
    const meant = range === undefined ? undefined : meantBranch(find(root, range).value);
    const judged = /\/anyOf\/(\d)/.exec(error.schemaPath)?.[1];
    if (judged !== meant) return [];

    switch (error.keyword) {
      case "required":
        return error.params.requiredProperties.map((key) => ({
          path: [...path, key],
          expected: "a value",
          got: undefined,
        }));
      // Each unknown key has an error of its own besides, with the keyword `boolean`.
      case "additionalProperties":
        return [];
      default:
        return [{ path, expected: expectation(error), got: value }];
    }
  });
};

/** Which branch of a range a value means; neither when it is no number and has no keys. */
const meantBranch = (value: unknown): "0" | "1" | undefined => {
  if (typeof value === "number") return "0";
  return isRecord(value) ? "1" : undefined;
};

const expectation = (error: TLocalizedValidationError): string => {
  switch (error.keyword) {
    case "type":
      return { number: "a number", integer: "an integer", string: "a text", object: "keys", array: "a list" }[
        String(error.params.type)
      ] as string;
    case "anyOf":
      return "a number or {low, high}";
    case "enum":
      return `one of ${error.params.allowedValues.join(", ")}`;
    case "boolean":
      return "no such key";
    case "exclusiveMinimum":
      return `more than ${error.params.limit}`;
    case "minimum":
      return `at least ${error.params.limit}`;
    case "minLength":
    case "minItems":
      return "it not to be empty";
    default:
      return `that it ${error.message}`;
  }
};

/** Follows a JSON pointer (RFC 6901) as far as it goes. */
const find = (root: unknown, pointer: string): { path: (string | number)[]; value: unknown } => {
  const path: (string | number)[] = [];
  let value = root;
  for (const segment of pointer.split("/").slice(1)) {
    const key = segment.replaceAll("~1", "/").replaceAll("~0", "~");
    path.push(Array.isArray(value) ? Number(key) : key);
    value = isRecord(value) ? value[key] : undefined;
  }
  return { path, value };
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

const shown = (value: unknown): string => {
  if (value === undefined) return "nothing";
  if (typeof value === "number") return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
};
