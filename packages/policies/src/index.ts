import { edge } from "./edge.ts";
import { fair } from "./fair.ts";
import { greedy } from "./greedy.ts";
import { local } from "./local.ts";
import type { PolicyMaker } from "./policy.ts";

export { edge } from "./edge.ts";
export { admittedPerSubSlot, fair, split } from "./fair.ts";
export { greedy } from "./greedy.ts";
export { keepConstraints } from "./keep-constraints.ts";
export { local } from "./local.ts";
export {
  type AnswerCounts,
  type FallbackReason,
  fallbackReasons,
  type OpenPolicy,
} from "./open-policy.ts";
export type { Policy, PolicyMaker } from "./policy.ts";
export { serverFirst } from "./server-first.ts";

export const policyNames = ["local", "edge", "greedy", "fair"] as const;
export type PolicyName = (typeof policyNames)[number];

/** The policies that need no training. */
export const policies: Readonly<Record<PolicyName, PolicyMaker>> = { local, edge, greedy, fair };
