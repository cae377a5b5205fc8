import { type Joules, joules, type Seconds, seconds } from "@offloadlab/units";

/**
 * Time from a task's generation to its result.
 *
 * Eq. (14): T = (1 − α) · T^l + α · (T^tr + T^m) + T^w
 *
 * Differs: T^w is the time in the queue, until the task or its upload starts. The text lets it end where execution
 * begins, which for an offloaded task is after the upload and would count T^tr twice. The waiting time that Table III
 * reports does include the upload: keep the two apart.
 *
 * @param offloaded α_{i,j}(t)
 * @param localDelay T^l, ignored when the task is offloaded
 * @param uploadDelay T^tr, ignored when it is not
 * @param edgeDelay T^m, ignored when it is not
 * @param waitingTime T^w
 */
export const taskDelay = (
  offloaded: boolean,
  localDelay: Seconds,
  uploadDelay: Seconds,
  edgeDelay: Seconds,
  waitingTime: Seconds,
): Seconds => seconds((offloaded ? uploadDelay + edgeDelay : localDelay) + waitingTime);

/**
 * Energy of a task.
 *
 * Eq. (15): E = (1 − α) · E^l + α · (E^tr + E^m)
 *
 * @param offloaded α_{i,j}(t)
 * @param localEnergy E^l, ignored when the task is offloaded
 * @param uploadEnergy E^tr, ignored when it is not
 * @param edgeEnergy E^m, ignored when it is not
 */
export const taskEnergy = (offloaded: boolean, localEnergy: Joules, uploadEnergy: Joules, edgeEnergy: Joules): Joules =>
  joules(offloaded ? uploadEnergy + edgeEnergy : localEnergy);
