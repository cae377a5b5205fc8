import { basename } from "node:path";
import { type ComparedName, comparedNames, type Method, methods } from "@offloadlab/simulation";
import { Type } from "typebox";

/** What an experiment can compare by name: policies that need no training, and methods that train one. */
export type Contestant = ComparedName | Method;
const contestants: readonly string[] = [...comparedNames, ...methods];

/** Agents that `offload train` has made, under the name that tables give them. */
export interface TrainedPolicy {
  readonly name: string;
  /** As the manifest has it. */
  readonly folder: string;
}

/** `policies` of a manifest: names, and `{trained: <folder>, name: <name>}`. */
export const PoliciesFile = Type.Array(Type.Unknown(), { minItems: 1, uniqueItems: true });

/** The entries of `policies`, read. */
export interface Contestants {
  readonly policies: readonly Contestant[];
  readonly trained: readonly TrainedPolicy[];
  /** All names, in the manifest's order. */
  readonly names: readonly string[];
}

const nameForm = /^[a-z0-9][a-z0-9-]{0,39}$/;

/** @param problem is told what is wrong with an entry, by its index */
export const readContestants = (
  entries: readonly unknown[],
  problem: (index: number, what: string) => void,
): Contestants => {
  const policies: Contestant[] = [];
  const trained: TrainedPolicy[] = [];
  const names: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const got = JSON.stringify(entry);
    if (typeof entry === "string") {
      if (!contestants.includes(entry)) {
        problem(index, `must be one of ${contestants.join(", ")}, got ${got}`);
        continue;
      }
      policies.push(entry as Contestant);
      names.push(entry);
      continue;
    }
    const read = readTrained(entry);
    if (read === undefined) problem(index, `must be a name or {trained: <folder>, name: <name>}, got ${got}`);
    else if (!nameForm.test(read.name)) {
      problem(index, `needs a \`name\` of small letters, digits and hyphens, got ${JSON.stringify(read.name)}`);
    } else if (contestants.includes(read.name) || names.includes(read.name)) {
      problem(index, `needs a \`name\` that no other policy has, got ${JSON.stringify(read.name)}`);
    } else {
      trained.push(read);
      names.push(read.name);
    }
  }
  return { policies, trained, names };
};

const readTrained = (entry: unknown): TrainedPolicy | undefined => {
  if (typeof entry !== "object" || entry === null) return undefined;
  const {
    trained: folder,
    name = typeof folder === "string" ? basename(folder) : undefined,
    ...others
  } = entry as {
    trained?: unknown;
    name?: unknown;
  };
  if (typeof folder !== "string" || folder === "" || typeof name !== "string") return undefined;
  return Object.keys(others).length > 0 ? undefined : { name, folder };
};
