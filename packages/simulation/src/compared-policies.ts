import { type Policy, policies, policyNames } from "@offloadlab/policies";
import type { Community } from "./community.ts";
import { oracle } from "./oracle.ts";

/** What a simulation can compare: the policies of the laboratory, and the ceiling that knows the future. */
export const comparedNames = [...policyNames, "oracle"] as const;
export type ComparedName = (typeof comparedNames)[number];

/** Makes a policy for the community that it is to decide for. */
export const policyFor = (name: ComparedName, community: Community): Policy =>
  name === "oracle"
    ? oracle(community)
    : policies[name](community.settings, community.communityIndex, community.devices);
