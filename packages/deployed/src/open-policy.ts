import { communityAt, type Device, type Settings } from "@offloadlab/model";
import type { OpenPolicy } from "@offloadlab/policies";
import type { Seconds } from "@offloadlab/units";
import { cardPathOf, readCard } from "./card.ts";
import { modelPolicy, type OpenModel } from "./model-policy.ts";
import { PolicyProblem } from "./problem.ts";
import type { ShippedModels } from "./shipped-models.ts";
import { bytesOf, isAddress, modelFile } from "./source.ts";

/**
 * Opens a policy from outside for one community.
 *
 * @param location an .onnx file with its card beside it, a folder with `<community>.onnx` for each, or the address of an
 * HTTP endpoint
 * @param devices [n] in the order of the observation's entries
 * @param timeout of an endpoint's answers
 * @throws PolicyProblem when it cannot be used, with what is wrong
 */
export const openPolicy = async (
  location: string,
  settings: Settings,
  communityIndex: number,
  devices: readonly Device[],
  timeout?: Seconds,
): Promise<OpenPolicy> => {
  const place = { settings, communityIndex, devices };
  if (isAddress(location)) {
    // Its client takes longer to load than a trial of a moment takes to run.
    const { endpointPolicy } = await import("./endpoint-policy.ts");
    return endpointPolicy(location, place, timeout);
  }
  const file = modelFile(location, communityAt(settings, communityIndex).name);
  const cardFile = cardPathOf(file);
  const bytes = bytesOf(file);
  const card = readCard(new TextDecoder().decode(bytesOf(cardFile)), cardFile);
  return modelPolicy(bytes, card, place, file);
};

/**
 * Opens a policy from outside that came with a run, for one community.
 *
 * @param name as the run calls it, for the problems
 * @param devices [n] in the order of the observation's entries
 * @param open where ONNX Runtime runs
 * @throws PolicyProblem when it cannot be used, with what is wrong
 */
export const openShipped = async (
  name: string,
  models: ShippedModels,
  settings: Settings,
  communityIndex: number,
  devices: readonly Device[],
  open?: OpenModel,
): Promise<OpenPolicy> => {
  const community = communityAt(settings, communityIndex);
  const files = models.get(community.name);
  const what = `${name} of ${community.name}`;
  if (files === undefined) throw new PolicyProblem(`${what}: expected a model, got none`);
  return modelPolicy(files.model, readCard(files.card, what), { settings, communityIndex, devices }, what, open);
};
