import { readFile } from "node:fs/promises";
import { LineCounter, parseDocument } from "yaml";
import { Failure } from "./failure.ts";
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
  return reader(document.toJS(), file);
};
