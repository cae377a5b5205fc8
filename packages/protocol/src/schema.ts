import { type Static, type TSchema, Type } from "typebox";
import { Compile } from "typebox/compile";
import { Errors } from "typebox/value";
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
    const member = meantMember(schema, value);
    const [first] = member === undefined ? [] : Errors(member, value);
    const keys = keysOf(first?.instancePath ?? "");
    const path = keys.length === 0 ? "the value" : `\`${keys.join("/")}\``;
    const expected = first?.keyword === "boolean" ? "must not be there" : (first?.message ?? "is of no known kind");
    throw new Failure(code, `${where}: ${path} ${expected}, got ${shown(at(value, keys))}`);
  };
};

/** Of a union, the member whose literals the value has: what the others complain about would mislead. */
const meantMember = (schema: TSchema, value: unknown): TSchema | undefined => {
  if (!Type.IsUnion(schema)) return schema;
  return schema.anyOf.find(
    (member) =>
      Type.IsObject(member) &&
      Object.entries(member.properties).every(
        ([key, property]) => !Type.IsLiteral(property) || property.const === at(value, [key]),
      ),
  );
};

/** The keys in a JSON pointer (RFC 6901). */
const keysOf = (pointer: string): string[] =>
  pointer
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));

const at = (value: unknown, keys: readonly string[]): unknown =>
  keys.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | null | undefined)?.[key], value);

const shown = (value: unknown): string => {
  const text = textOf(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
};

const textOf = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? "nothing";
  } catch {
    // Nested deeper than the stack, or of a type that JSON has not.
    return Array.isArray(value) ? "a deep list" : `a deep or strange ${typeof value}`;
  }
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
