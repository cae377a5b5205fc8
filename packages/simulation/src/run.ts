import { type Action, emptyAction } from "@offloadlab/model";
import type { OpenPolicy, Policy } from "@offloadlab/policies";
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

/** Runs one epoch of a policy that may take its time, until every task has come to its end. */
export const runOpenEpoch = async (
  community: Community,
  policy: Pick<OpenPolicy, "decide">,
  seed: number,
  action: Action = emptyAction(count(community.deviceCount)),
): Promise<EpochTotals> => {
  const observation = community.reset(seed);
  do {
    const later = policy.decide(observation, action);
    // One that decides at once costs no turn of the event loop.
    if (later !== undefined) await later;
  } while (!community.step(action).terminated);
  return community.totals();
};
