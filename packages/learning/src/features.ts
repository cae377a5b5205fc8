import {
  type CommunitySettings,
  edgeDelay,
  localDelay,
  meetsDeadline,
  type Observation,
  type Readings,
  sharedRate,
  taskDelay,
  uploadDelay,
} from "@offloadlab/model";
import {
  type Bits,
  type BitsPerSecond,
  type Cycles,
  type Hertz,
  ratio,
  type Seconds,
  seconds,
} from "@offloadlab/units";

/** What a learner is shown: the reading of Eq. (17), and whether each device has a row or the community has one. */
export interface FeatureSettings {
  readonly observation: Readings["observation"];
  /** `set`: a row for each device with the community's numbers repeated; `flat`: one row of all. */
  readonly networks: "set" | "flat";
}

/** Numbers of one device in a row. */
const deviceWidth = { paper: 4, extended: 13 } as const;
/** B, F and q of the community. */
const communityWidth = 5;

/** How many numbers a row has. */
export const featureCount = ({ observation, networks }: FeatureSettings, deviceCount: number): number =>
  networks === "set"
    ? deviceWidth[observation] + communityWidth
    : deviceCount * deviceWidth[observation] + communityWidth;

/** What bandwidth and compute are divided by: §V-A's, so that communities of other sizes are seen as such. */
const usualBandwidth = 15e6;
const usualServerClock = 20e9;
/** Queues are rarely longer. */
const usualQueue = 4;
/** q_p is ten times q_t and more. */
const usualPenalty = 20;

/**
 * How long a task would take, by Eqs. (2), (4) and (6): on its device, and at the edge with all that tasks in flight leave.
 * A network that has to find these quotients by itself learns several times slower.
 */
export interface Prospect {
  /** T^l */
  readonly local: Seconds;
  /** T^tr */
  readonly upload: Seconds;
  /** T^m */
  readonly execution: Seconds;
  /** Whether it would meet C2 on its device, begun now. */
  readonly succeedsLocally: boolean;
}

/** Of B and F, as much is left for a prospect at least: quotients stay finite. */
const leastLeft = 0.02;

const noTime = seconds(0);
const none: Prospect = { local: noTime, upload: noTime, execution: noTime, succeedsLocally: false };

/** What a device's head-of-line task can expect: nothing without one. */
export const prospectOf = (
  observation: Observation,
  index: number,
  { serverClock }: CommunitySettings,
  deadline: number,
): Prospect => {
  if (observation.waiting[index] !== 1) return none;
  const work = observation.work[index] as Cycles;
  const local = localDelay(work, observation.clock[index] as Hertz);
  const rate = sharedRate(
    observation.fullRate[index] as BitsPerSecond,
    ratio(Math.max(1 - observation.bandwidthInUse, leastLeft)),
  );
  const age = observation.age[index] as Seconds;
  return {
    local,
    upload: uploadDelay(observation.dataSize[index] as Bits, rate),
    execution: edgeDelay(work, ratio(Math.max(1 - observation.computeInUse, leastLeft)), serverClock),
    succeedsLocally: meetsDeadline(taskDelay(false, local, noTime, noTime, age), seconds(deadline)),
  };
};

/**
 * Writes what a learner sees of a community, each number of the order of 1.
 *
 * Of a device: D, C, b and l over the largest of its community; with `extended` also whether it has a task, the task's
 * age over T_d, its lanes, its queue, and what the task can expect, delays over T_d. Of the community: what is left of B
 * and of F in units of §V-A's, and q.
 *
 * A slow link makes a task of D bits seem larger than any that a learner has met: it sees the largest, and a longer T^tr.
 *
 * @param rows [n, width] for `set`, [width] for `flat`, row-major, filled
 */
export const writeFeatures = (
  { observation: reading, networks }: FeatureSettings,
  observation: Observation,
  community: CommunitySettings,
  deadline: number,
  rows: Float32Array,
): void => {
  const { workload, device, demand } = community;
  const n = observation.deviceCount;
  const own = deviceWidth[reading];
  const stride = networks === "set" ? own + communityWidth : own;
  for (let j = 0; j < n; j++) {
    const at = j * stride;
    rows[at] = Math.min((observation.dataSize[j] as number) / workload.dataSize.high, 1);
    rows[at + 1] = (observation.work[j] as number) / workload.work.high;
    rows[at + 2] = (observation.charge[j] as number) / device.capacity;
    rows[at + 3] = (observation.distance[j] as number) / device.distance.high;
    if (reading === "extended") {
      rows[at + 4] = observation.waiting[j] as number;
      rows[at + 5] = (observation.age[j] as number) / deadline;
      rows[at + 6] = observation.processorBusy[j] as number;
      rows[at + 7] = observation.radioBusy[j] as number;
      rows[at + 8] = (observation.queueLength[j] as number) / usualQueue;
      const prospect = prospectOf(observation, j, community, deadline);
      rows[at + 9] = prospect.local / deadline;
      rows[at + 10] = prospect.upload / deadline;
      rows[at + 11] = prospect.execution / deadline;
      rows[at + 12] = Number(prospect.succeedsLocally);
    }
    if (networks === "set") writeCommunity(rows, at + own);
  }
  if (networks === "flat") writeCommunity(rows, n * own);

  function writeCommunity(target: Float32Array, at: number): void {
    target[at] = ((1 - observation.bandwidthInUse) * community.bandwidth) / usualBandwidth;
    target[at + 1] = ((1 - observation.computeInUse) * community.serverClock) / usualServerClock;
    target[at + 2] = demand.delay;
    target[at + 3] = demand.energy;
    target[at + 4] = demand.success / usualPenalty;
  }
};
