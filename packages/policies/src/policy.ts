import type { Action, Device, Observation, Settings } from "@offloadlab/model";

/** Decides for the end devices of one community, once in a sub-slot, in the simulator and in the laboratory alike. */
export interface Policy {
  readonly name: string;
  /**
   * Decides for all devices at once.
   *
   * Pure but for the action, which it fills completely; allocates nothing. A device without a waiting task gets `wait`.
   */
  decide(observation: Observation, action: Action): void;
}

/**
 * Makes the policy of one community.
 *
 * @param devices [n] in the order of the observation's entries
 */
export type PolicyMaker = (settings: Settings, communityIndex: number, devices: readonly Device[]) => Policy;
