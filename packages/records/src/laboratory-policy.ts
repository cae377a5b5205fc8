import { onnxEngine } from "@offloadlab/learning";
import type { Device, Settings } from "@offloadlab/model";
import { type Policy, policies, policyNames } from "@offloadlab/policies";
import { type Deployment, deployedPolicy } from "@offloadlab/simulation";

/** Agents of a run by the names of their policies, as they were deployed. */
export type Deployments = ReadonlyMap<string, Deployment>;

/**
 * A policy of a run, as it began.
 *
 * @throws RangeError when the run has no such policy
 */
export const laboratoryPolicy = (
  name: string,
  deployments: Deployments,
  settings: Settings,
  communityIndex: number,
  devices: readonly Device[],
): Policy => {
  const known = policyNames.find((each) => each === name);
  if (known !== undefined) return policies[known](settings, communityIndex, devices);
  const deployment = deployments.get(name);
  if (deployment === undefined) throw new RangeError(`Expected the agents of policy ${name}, got none`);
  return deployedPolicy(name, deployment, onnxEngine, settings, communityIndex);
};
