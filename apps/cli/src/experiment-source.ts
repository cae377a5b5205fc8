import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { PolicyProblem, policySource } from "@offloadlab/deployed";
import type { Trace, TraceProblems } from "@offloadlab/model";
import { Failure, messageOf } from "@offloadlab/protocol";
import { type Experiment, type PolicySourceReader, readExperiment, readTraceFile } from "@offloadlab/records";
import { parseDocument, stringify } from "yaml";

/** A manifest with the experiment that it describes. */
export interface ExperimentSource {
  readonly text: string;
  readonly experiment: Experiment;
}

/** What a command line changes of a manifest. */
export interface ManifestChanges {
  readonly preset?: string;
  readonly policies?: readonly string[];
  /** Policies from outside, besides those. */
  readonly policy?: readonly string[];
  readonly repetitions?: number;
  readonly epochs?: number;
  readonly seed?: number;
  /** Settings by path, `communities.each.device_count=20`. */
  readonly set?: readonly string[];
}

/** Reads a manifest's file and changes it. @throws Failure `config/invalid` with every problem */
export const readExperimentFile = async (file: string, changes: ManifestChanges = {}): Promise<ExperimentSource> => {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new Failure("config/invalid", `${file}: cannot be read: ${messageOf(error)}`, { cause: error });
  });
  return experimentOf(text, file, changes);
};

/**
 * The experiment of a manifest's text, with changes; traces and policies that it names are looked for beside it, those of
 * the command line where it was called.
 *
 * @throws Failure `config/invalid` with every problem
 */
export const experimentOf = (text: string, file: string, changes: ManifestChanges = {}): ExperimentSource => {
  const changed = changedText(text, changes);
  const traces = new Map<string, Trace | TraceProblems>();
  const called = [...(changes.policies ?? []), ...(changes.policy ?? [])];
  const experiment = readExperiment(
    changed,
    file,
    (name) => {
      const path = resolve(dirname(file), name);
      const trace = traces.get(path) ?? readTraceFile(path);
      traces.set(path, trace);
      return trace;
    },
    (name) => sourceIn(called.includes(name) ? process.cwd() : dirname(file), name),
  );
  if ("problems" in experiment) throw new Failure("config/invalid", experiment.problems.join("\n"));
  const [trained] = experiment.trained;
  if (trained !== undefined) {
    const advice = "`offload evaluate` and `offload compare` take its folder";
    throw new Failure("config/invalid", `${file}: \`policies\`: ${trained.folder} is for a laboratory; ${advice}`);
  }
  return { text: changed, experiment };
};

const sourceIn = (folder: string, name: string): ReturnType<PolicySourceReader> => {
  try {
    return policySource(name, folder);
  } catch (error) {
    if (!(error instanceof PolicyProblem)) throw error;
    return { problem: `cannot be used: ${error.message}` };
  }
};

/** The text with what a command line changes of it; untouched when that is nothing. */
export const changedText = (text: string, { set = [], policy = [], ...changes }: ManifestChanges): string => {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  const document = parseDocument(text);
  // What is wrong with it is said with its place when it is read.
  if ((given.length === 0 && set.length === 0 && policy.length === 0) || document.errors.length > 0) return text;
  for (const [key, value] of given) document.set(key, document.createNode(value));
  for (const source of policy) document.addIn(["policies"], source);
  for (const entry of set) {
    const [path = "", value = ""] = split(entry);
    document.setIn(["settings", ...path.split(".")], parseDocument(value).toJS());
  }
  return stringify(document);
};

/** `path=value` at its first sign. @throws Failure `config/invalid` without one */
const split = (entry: string): [path: string, value: string] => {
  const sign = entry.indexOf("=");
  if (sign < 1) throw new Failure("config/invalid", `--set: expected <path>=<value>, got ${entry}`);
  return [entry.slice(0, sign), entry.slice(sign + 1)];
};
