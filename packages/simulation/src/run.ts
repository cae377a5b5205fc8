import { type Action, emptyAction } from "@offloadlab/model";
import type { Policy } from "@offloadlab/policies";
import { count } from "@offloadlab/units";
import type { Community } from "./community.ts";
import type { EpochTotals } from "./epoch-totals.ts";

/** Runs one epoch of a policy, until every task has come to its end. */
export const runEpoch = (
  community: Community,
  policy: Policy,
  seed: number,
  action: Action = emptyAction(count(community.deviceCount)),
): EpochTotals => {
  const observation = community.reset(seed);
  do policy.decide(observation, action);
  while (!community.step(action).terminated);
  return community.totals();
};
