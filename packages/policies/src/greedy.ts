import type { Device } from "@offloadlab/model";
import type { PolicyMaker } from "./policy.ts";
import { succeedsLocally } from "./prospect.ts";
import { staticShares } from "./static-shares.ts";

/** Greedy, §V-A: a task stays local if that succeeds on an idle processor, and is offloaded with equal shares otherwise. */
export const greedy: PolicyMaker = (settings, _communityIndex, devices) =>
  staticShares(
    "greedy",
    devices.length,
    (observation, index) =>
      observation.processorBusy[index] === 0 &&
      succeedsLocally(observation, index, devices[index] as Device, settings.deadline),
  );
