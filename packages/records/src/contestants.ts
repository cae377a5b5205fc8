import { basename } from "node:path";
import { isPolicySource, type PolicySource } from "@offloadlab/deployed";
import { type ComparedName, comparedNames, type Method, methods } from "@offloadlab/simulation";
import { Type } from "typebox";

/** What an experiment can compare: policies that need no training, methods that train one, and paths or addresses of others. */
export type Contestant = ComparedName | Method | (string & {});
const contestants: readonly string[] = [...comparedNames, ...methods];

/** Agents that `offload train` has made, under the name that tables give them. */
export interface TrainedPolicy {
  readonly name: string;
  /** As the manifest has it. */
  readonly folder: string;
}

/** `policies` of a manifest: names, paths and addresses, and `{trained: <folder>, name: <name>}`. */
export const PoliciesFile = Type.Array(Type.Unknown(), { minItems: 1, uniqueItems: true });

/** The entries of `policies`, read. */
export interface Contestants {
  readonly policies: readonly Contestant[];
  readonly trained: readonly TrainedPolicy[];
  /** Those of the policies that come from outside; none where nobody looks for them. */
  readonly sources: readonly PolicySource[];
  /** All names, in the manifest's order. */
  readonly names: readonly string[];
}

/** Finds the policy from outside that a manifest names, or says what is wrong with it. */
export type PolicySourceReader = (name: string) => PolicySource | { readonly problem: string };

const nameForm = /^[a-z0-9][a-z0-9-]{0,39}$/;

/**
 * @param readSource finds the policies from outside; without it, as in the laboratory, they are only named
 * @param problem is told what is wrong with an entry, by its index
 */
export const readContestants = (
  entries: readonly unknown[],
  readSource: PolicySourceReader | undefined,
  problem: (index: number, what: string) => void,
): Contestants => {
  const policies: Contestant[] = [];
  const trained: TrainedPolicy[] = [];
  const sources: PolicySource[] = [];
  const names: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const got = JSON.stringify(entry);
    if (typeof entry === "string") {
      const isOurs = contestants.includes(entry);
      if (!isOurs && !isPolicySource(entry)) {
        problem(index, `must be one of ${contestants.join(", ")}, got ${got}`);
        continue;
      }
      policies.push(entry);
      names.push(entry);
      const source = isOurs ? undefined : readSource?.(entry);
      if (source !== undefined && "problem" in source) problem(index, source.problem);
      else if (source !== undefined) sources.push(source);
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
  return { policies, trained, sources, names };
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
