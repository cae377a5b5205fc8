import type { PolicyMaker } from "./policy.ts";
import { staticShares } from "./static-shares.ts";

/** Edge, §V-A: every task is offloaded, with equal shares. */
export const edge: PolicyMaker = (_settings, _communityIndex, devices) =>
  staticShares("edge", devices.length, () => false);
