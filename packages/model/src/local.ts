import {
  type Capacitance,
  type Cycles,
  type Hertz,
  type Joules,
  joules,
  type Seconds,
  seconds,
} from "@offloadlab/units";

/**
 * Time to run a task on the end device.
 *
 * Eq. (4): T^l = C / f
 *
 * @param work C_{i,j}(h)
 * @param clock f_{i,j}
 */
export const localDelay = (work: Cycles, clock: Hertz): Seconds => seconds(work / clock);

/**
 * Energy to run a task on the end device.
 *
 * Eq. (5): E^l = k · C · f²
 *
 * @param work C_{i,j}(h)
 * @param clock f_{i,j}
 * @param k effective switched capacitance, 1e-26 in §V-A
 */
export const localEnergy = (work: Cycles, clock: Hertz, k: Capacitance): Joules => joules(k * work * clock ** 2);
