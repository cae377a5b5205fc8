import { boardConditions } from "./board-conditions.ts";
import type { RunContents } from "./check.ts";
import { decisionTimes } from "./decision-times.ts";
import { leaseQuality } from "./lease-quality.ts";

/** Fewer uploads have no 95th percentile: it would be the slowest of them. */
const fewest = 20;
/** Part of the devices' sub-slots that may go without a decision in time. */
const missedLimit = 0.01;
/** Median relative error up to which shares and the emulated uplink count as kept. */
const shareLimit = 0.05;
/** 95th percentile of the same error up to which the emulated uplink counts as kept. */
const slowestLimit = 0.2;

/**
 * Conditions under which a run's numbers mean what they say.
 *
 * The emulated uplink aims at an error of at most 2 % in the median and 5 % in the 95th percentile; a run is invalid
 * above 5 % and 20 %. The limits are wider than the aim because results are means over thousands of tasks: one slow
 * moment of the machine spoils a few uploads and biases no mean, an error that most of them have does. The uplink of
 * boards is as fast as it is: that is a result.
 *
 * @returns those that are violated, one sentence each; the run is then invalid
 */
export const violatedConditions = ({
  settings,
  trials,
  journals,
  laboratory,
  hardware,
}: Pick<RunContents, "settings" | "trials" | "journals" | "laboratory" | "hardware">): string[] => {
  const isEmulated = hardware === "emulated";
  const percent = (ratio: number): string => `${(100 * ratio).toFixed(1)} %`;
  const { missedRatio } = decisionTimes(settings, trials, journals);
  const quality = leaseQuality(journals, laboratory.uplinkRateRatios);
  const { tasks, uploads, medianRatio, p95Ratio, shareMedianRatio } = quality;
  const advice = "the machine is too slow for this clock: lower clock_speed_ratio or end other work";
  return [
    ...(missedRatio > missedLimit
      ? [`${percent(missedRatio)} of the devices' sub-slots were not decided in time; ${advice}`]
      : []),
    ...(tasks > 0 && shareMedianRatio > shareLimit
      ? [`compute shares were missed by ${percent(shareMedianRatio)} in the median; ${advice}`]
      : []),
    ...(isEmulated && uploads > 0 && medianRatio > shareLimit
      ? [`the emulated uplink missed its rate by ${percent(medianRatio)} in the median; ${advice}`]
      : []),
    ...(isEmulated && uploads >= fewest && p95Ratio > slowestLimit
      ? [`the emulated uplink missed its rate by ${percent(p95Ratio)} in the 95th percentile; ${advice}`]
      : []),
    ...boardConditions(journals),
  ];
};
