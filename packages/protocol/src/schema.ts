import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { Failure, type FailureCode } from "./failure.ts";

/** Reads a value as a schema's type. */
export type Reader<T> = (value: unknown, where: string) => T;

/**
 * Makes the function that checks a value against a schema.
 *
 * The reader throws a `Failure` of the given code that names the place, the rule that was broken and the value found.
 */
export const readerOf = <S extends TSchema>(schema: S, code: FailureCode = "wire/malformed"): Reader<Static<S>> => {
  const validator = Compile(schema);
  return (value, where) => {
    if (validator.Check(value)) return value as Static<S>;
    const [first] = validator.Errors(value);
    const path = first?.instancePath === "" || first === undefined ? "the value" : `\`${first.instancePath.slice(1)}\``;
    throw new Failure(code, `${where}: ${path} ${first?.message ?? "does not fit"}, got ${shown(at(value, first?.instancePath ?? ""))}`);
  };
};

const at = (value: unknown, pointer: string): unknown =>
  pointer
    .split("/")
    .slice(1)
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | null | undefined)?.[key], value);

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
};

/**
 * JSON text to a value.
 *
 * @throws Failure `wire/malformed` with the parser's own message
 */
export const parseJson = (text: string, where: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Failure("wire/malformed", `${where}: expected JSON, ${(error as Error).message}`, { cause: error });
  }
};
