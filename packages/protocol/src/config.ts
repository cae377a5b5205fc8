import { readFile } from "node:fs/promises";
import { type Document, LineCounter, parseDocument } from "yaml";
import { Failure, messageOf } from "./failure.ts";
import type { Reader } from "./schema.ts";

/**
 * Reads a daemon's configuration, YAML (or JSON, which is YAML).
 *
 * @throws Failure `config/invalid` with file, place, expected and got
 */
export const readConfig = async <T>(file: string, reader: Reader<T>): Promise<T> => {
  const text = await readFile(file, "utf8").catch((error: Error) => {
    throw new Failure("config/invalid", `${file}: expected a readable file, ${error.message}`, { cause: error });
  });
  const document = parseDocument(text, { lineCounter: new LineCounter() });
  const [error] = document.errors;
  if (error !== undefined) throw new Failure("config/invalid", `${file}: ${error.message}`, { cause: error });
  return reader(contentOf(document, file), file);
};

/** Aliases are resolved only here: one without an anchor is no error of the parser's. */
const contentOf = (document: Document, file: string): unknown => {
  try {
    return document.toJS();
  } catch (error) {
    throw new Failure("config/invalid", `${file}: ${messageOf(error)}`, { cause: error });
  }
};
