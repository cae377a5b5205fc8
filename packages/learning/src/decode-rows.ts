import { type Action, decodeAction, type Observation } from "@offloadlab/model";
import type { FeatureSettings } from "./features.ts";

/**
 * Turns the rows that an agent answers into the decision that they stand for.
 *
 * @param raw [n, 3] of `set`, [1, 3 n] of `flat`: α of all devices, then w, then β
 * @param columns [3, n], filled on the way
 * @param action filled
 */
export const decodeRows = (
  networks: FeatureSettings["networks"],
  raw: Float32Array,
  columns: Float32Array,
  observation: Observation,
  action: Action,
): void => {
  if (networks === "flat") {
    decodeAction(raw, observation, action);
    return;
  }
  const n = observation.deviceCount;
  for (let j = 0; j < n; j++) for (let k = 0; k < 3; k++) columns[k * n + j] = raw[3 * j + k] as number;
  decodeAction(columns, observation, action);
};
