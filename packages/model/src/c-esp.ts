/**
 * Requests per user in C-ESP, over all users.
 *
 * Shen et al., IWQoS 2023: 96,209 users, 10,159,851 requests
 */
export const meanRequestsPerUser = 105.6;

interface Segment {
  /** Share of users below the segment, and at its end. */
  readonly from: number;
  readonly to: number;
  /** Requests of the users at its ends. */
  readonly low: number;
  readonly high: number;
  /** 1 is a straight line between the ends; the curve stays the longer at the low end, the higher this is. */
  readonly bend: number;
}

/**
 * Ends are the published quantiles. Bends are what gives the mean of 105.6 and the shares of the busiest: 32 % of all
 * requests below the 90 % quantile, 44 % from there to the 99 % quantile, 24 % above. A segment's mean is
 * low + (high − low) · m with m = 1/(1 − bend) + bend · ln(bend)/(1 − bend)²; solved for each of the three by bisection.
 */
const segments: readonly Segment[] = [
  { from: 0, to: 0.25, low: 1, high: 6, bend: 38.64602 },
  { from: 0.25, to: 0.5, low: 6, high: 40, bend: 38.64602 },
  { from: 0.5, to: 0.75, low: 40, high: 121, bend: 38.64602 },
  { from: 0.75, to: 0.9, low: 121, high: 276, bend: 38.64602 },
  { from: 0.9, to: 0.99, low: 276, high: 705, bend: 0.6963199 },
  { from: 0.99, to: 1, low: 705, high: 7806, bend: 4.823518 },
];

/**
 * Requests of the C-ESP user at a level: a share `level` of the users makes fewer. Not rounded.
 *
 * Shen et al., IWQoS 2023: quantiles 25/50/75/90/99 % = 6/40/121/276/705, maximum 7,806; the busiest 1 % of users make
 * 24 % of the requests, the busiest 10 % 68 %
 *
 * Differs: between the quantiles nothing is published, not even the minimum, 1 here. Quantiles, mean and shares together
 * leave users below the 90 % quantile hardly more than the quantile below them, so the curve there is nearly a staircase.
 *
 * @param level in [0, 1]
 * @throws RangeError when the level is outside
 */
export const requestsPerUser = (level: number): number => {
  const segment = segments.find(({ to }) => level <= to);
  if (!segment || !(level >= 0)) throw new RangeError(`Expected a level in [0, 1], got ${level}`);
  const { from, to, low, high, bend } = segment;
  const along = (level - from) / (to - from);
  // Operations that IEEE 754 rounds exactly, each of them monotonic: the same on every machine, and never a step down.
  return low + (high - low) / (1 + bend * (1 / along - 1));
};

/**
 * How many times as active as the mean user the user at a level is; 1 in the mean over all levels.
 *
 * @param level in [0, 1]
 * @throws RangeError when the level is outside
 */
export const relativeActivity = (level: number): number => requestsPerUser(level) / meanRequestsPerUser;
