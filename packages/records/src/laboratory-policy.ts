import { isPolicySource, openShipped, type ShippedModels } from "@offloadlab/deployed";
import { onnxEngine } from "@offloadlab/learning";
import type { Device, Settings } from "@offloadlab/model";
import { type OpenPolicy, type Policy, policies, policyNames } from "@offloadlab/policies";
import { type Deployment, deployedPolicy } from "@offloadlab/simulation";

/** Agents of a run by the names of their policies, as they were deployed. */
export type Deployments = ReadonlyMap<string, Deployment>;

/** What a run deployed, by the names of its policies. */
export interface Deployed {
  readonly deployments: Deployments;
  /** Models of policies from outside. */
  readonly models: ReadonlyMap<string, ShippedModels>;
}

/** Whether an archive has all of a policy: of an endpoint it has only what it answered. */
export const canBeRepeated = (name: string, { models }: Deployed): boolean => !isPolicySource(name) || models.has(name);

/**
 * A policy of a run, as it began; one from outside has to be closed.
 *
 * @throws RangeError when the run has no such policy
 */
export const laboratoryPolicy = async (
  name: string,
  { deployments, models }: Deployed,
  settings: Settings,
  communityIndex: number,
  devices: readonly Device[],
): Promise<Policy | OpenPolicy> => {
  const known = policyNames.find((each) => each === name);
  if (known !== undefined) return policies[known](settings, communityIndex, devices);
  const own = models.get(name);
  if (own !== undefined) return openShipped(name, own, settings, communityIndex, devices);
  const deployment = deployments.get(name);
  if (deployment === undefined) throw new RangeError(`Expected the agents of policy ${name}, got none`);
  return deployedPolicy(name, deployment, onnxEngine, settings, communityIndex);
};
