import { dirname, resolve } from "node:path";
import { openShipped, shipModels, shippedModels } from "@offloadlab/deployed";
import { devicesOf } from "@offloadlab/model";
import { type Manifest, shippedNames } from "@offloadlab/records";
import { type AgentPlaces, agentFiles } from "./agent-files.ts";
import type { ProgressLine } from "./output.ts";

/** Where a manifest is, and which policies the command line names, beside or instead of those of the manifest. */
export interface PolicyPlaces extends AgentPlaces {
  /** Their paths are relative to where the command was called. */
  readonly policy?: readonly string[];
}

/**
 * What of a manifest's policies goes to the servers as files: agents, and the models of policies from outside, each of which
 * has decided on every community here before.
 *
 * @throws Failure `config/invalid` as `agentFiles`, PolicyProblem when a model cannot be used
 */
export const policyFiles = async (
  manifest: Manifest,
  places: PolicyPlaces,
  progress: ProgressLine,
  signal?: AbortSignal,
): Promise<Map<string, Uint8Array>> => {
  const shipped = new Map<string, Uint8Array>();
  const { settings, seed } = manifest;
  for (const name of shippedNames(manifest)) {
    const folder = places.policy?.includes(name) === true ? process.cwd() : dirname(places.manifestFile);
    const bytes = shipModels(resolve(folder, name), settings);
    const models = shippedModels(bytes);
    for (const index of settings.communities.keys()) {
      const policy = await openShipped(name, models, settings, index, devicesOf(settings, index, seed));
      await policy.close();
    }
    shipped.set(name, bytes);
  }
  return new Map([...(await agentFiles(manifest, places, progress, signal)), ...shipped]);
};
