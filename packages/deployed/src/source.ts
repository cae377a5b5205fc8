import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { cardPathOf } from "./card.ts";
import { PolicyProblem } from "./problem.ts";

/** Where a policy of somebody else's is: its ONNX model, a folder of one for each community, or an address. */
export interface PolicySource {
  /** As a manifest or a command line names it; tables call it so. */
  readonly name: string;
  /** An absolute path, or an address. */
  readonly location: string;
  /** Of the models and their cards; undefined for an address, which may answer anything at any time. */
  readonly sha256: string | undefined;
}

/** Whether a name means an address. */
export const isAddress = (name: string): boolean => /^https?:\/\//.test(name);

/** Whether a name means a policy from outside: an address, or a path. */
export const isPolicySource = (name: string): boolean =>
  isAddress(name) || name.endsWith(".onnx") || name.includes("/");

/**
 * Finds what a name means.
 *
 * @param folder what paths are relative to
 * @throws PolicyProblem when there is no model, or no card beside one
 */
export const policySource = (name: string, folder: string): PolicySource => {
  if (isAddress(name)) return { name, location: name, sha256: undefined };
  const location = resolve(folder, name);
  const hash = createHash("sha256");
  for (const model of modelsAt(location)) {
    hash
      .update(basename(model))
      .update(bytesOf(model))
      .update(bytesOf(cardPathOf(model)));
  }
  return { name, location, sha256: hash.digest("hex") };
};

/** The model's file for a community. @param location an .onnx file for all communities, or a folder with one for each */
export const modelFile = (location: string, communityName: string): string =>
  location.endsWith(".onnx") ? location : join(location, `${encodeURIComponent(communityName)}.onnx`);

const modelsAt = (location: string): string[] => {
  if (location.endsWith(".onnx")) return [location];
  let names: string[];
  try {
    names = readdirSync(location);
  } catch (error) {
    const expected = "expected an .onnx file, a folder of them or an address";
    throw new PolicyProblem(`${expected}, got ${location}: ${(error as Error).message}`, { cause: error });
  }
  const models = names.filter((name) => name.endsWith(".onnx")).sort();
  if (models.length === 0) throw new PolicyProblem(`expected models in ${location}, <community>.onnx, got none`);
  return models.map((name) => join(location, name));
};

/** @throws PolicyProblem when a file cannot be read */
export const bytesOf = (file: string): Uint8Array => {
  try {
    return readFileSync(file);
  } catch (error) {
    const what = file.endsWith(".card.json") ? "a model needs its card beside it" : "cannot be read";
    throw new PolicyProblem(`${file}: ${what}: ${(error as Error).message}`, { cause: error });
  }
};
