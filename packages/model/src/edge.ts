import {
  type Cycles,
  type Hertz,
  type Joules,
  joules,
  type Ratio,
  type Seconds,
  seconds,
  type Watts,
} from "@offloadlab/units";

/**
 * Time to run a task on its share of the server.
 *
 * Eq. (6): T^m = C / (β · F)
 *
 * @param work C_{i,j}(h)
 * @param share β_{i,j}(t)
 * @param serverClock F_i(t), the whole of it
 * @throws RangeError when the share is 0
 */
export const edgeDelay = (work: Cycles, share: Ratio, serverClock: Hertz): Seconds =>
  seconds(work / (share * serverClock));

/**
 * Energy to run a task on the server, which the model charges to the device that offloads it.
 *
 * Eq. (7): E^m = P_m · T^m
 *
 * The server's whole power is charged whatever the task's share of it, as printed.
 *
 * @param serverPower P_m
 * @param delay T^m
 */
export const edgeEnergy = (serverPower: Watts, delay: Seconds): Joules => joules(serverPower * delay);
