import type { Count } from "@offloadlab/units";

/**
 * What a policy sees of a community at the start of a sub-slot: a structure of arrays, one entry per end device.
 *
 * Eq. (17): s_i(t) = {D_i(t), C_i(t), b_i(t), l_i(t), B_i(t), F_i(t), q_i}
 *
 * `dataSize`, `work`, `charge`, `distance`, and the shares in use (of B and F) are the paper's; `age` and the busy lanes
 * are what success depends on besides, `clock` and `fullRate` what the delays of Eqs. (2) and (4) follow from (observation
 * `extended`). q_i, B_i, F_i and T_d are constants of the community: a
 * policy is made for one and knows them from its settings.
 */
export interface Observation {
  /** n */
  readonly deviceCount: Count;
  /** [n] 1 when the device has a head-of-line task; the task's entries are 0 otherwise. */
  readonly waiting: Uint8Array;
  /** [n] D_{i,j}, bits */
  readonly dataSize: Float64Array;
  /** [n] C_{i,j}, cycles */
  readonly work: Float64Array;
  /** [n] seconds since the head-of-line task was generated: T^w if it started now */
  readonly age: Float64Array;
  /** [n] b_{i,j}, joules */
  readonly charge: Float64Array;
  /** [n] l_{i,j}, metres */
  readonly distance: Float64Array;
  /** [n] f_{i,j}, hertz: a constant of the device, as l and the next are */
  readonly clock: Float64Array;
  /** [n] r_{i,j} with the whole of B, bits per second */
  readonly fullRate: Float64Array;
  /** [n] 1 while the device executes a task itself */
  readonly processorBusy: Uint8Array;
  /** [n] 1 while a task of the device is uploaded to or executed on the server */
  readonly radioBusy: Uint8Array;
  /** [n] tasks in the queue, the head of line included */
  readonly queueLength: Uint16Array;
  /** Sum of the bandwidth shares that tasks in flight hold, [0, 1]. */
  bandwidthInUse: number;
  /** Sum of the compute shares that tasks in flight hold, [0, 1]. */
  computeInUse: number;
}

/** An observation of n idle devices. */
export const emptyObservation = (deviceCount: Count): Observation => ({
  deviceCount,
  waiting: new Uint8Array(deviceCount),
  dataSize: new Float64Array(deviceCount),
  work: new Float64Array(deviceCount),
  age: new Float64Array(deviceCount),
  charge: new Float64Array(deviceCount),
  distance: new Float64Array(deviceCount),
  clock: new Float64Array(deviceCount),
  fullRate: new Float64Array(deviceCount),
  processorBusy: new Uint8Array(deviceCount),
  radioBusy: new Uint8Array(deviceCount),
  queueLength: new Uint16Array(deviceCount),
  bandwidthInUse: 0,
  computeInUse: 0,
});
