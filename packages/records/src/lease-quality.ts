import { countedJournals } from "./attempts.ts";
import { deviceOf, type Journals } from "./reconcile.ts";

/** How well leases were kept: relative errors of upload times and of compute shares. */
export interface LeaseQuality {
  /** Leased tasks that were executed. */
  readonly tasks: number;
  /** Their uploads, without those that are too short to be judged. */
  readonly uploads: number;
  /** |measured - expected| / expected T^tr; expected is the theory's, at the rate of the device's link */
  readonly medianRatio: number;
  readonly p95Ratio: number;
  /** |achieved - leased| / leased compute share */
  readonly shareMedianRatio: number;
  readonly shareP95Ratio: number;
}

/** A shorter upload (theory) takes a few grains of a 1 ms timer: its relative error says nothing about the link. */
const shortestUploadSeconds = 0.03;

/**
 * Errors over all served tasks of a run's trials that count; NaN without any.
 *
 * @param uplinkRateRatios what a rehearsal was to make of the theory's rates, of the devices where it was not 1
 */
export const leaseQuality = (
  journals: Journals,
  uplinkRateRatios: Readonly<Record<string, number>> = {},
): LeaseQuality => {
  const services = [...countedJournals(journals).values()].flat().filter((record) => record.kind === "service");
  const uploads = services.map(({ task, uploadSeconds, theoreticalUploadSeconds }) => ({
    measured: uploadSeconds,
    expected: theoreticalUploadSeconds / (uplinkRateRatios[deviceOf(task)] ?? 1),
  }));
  const long = uploads.filter(({ expected }) => expected >= shortestUploadSeconds);
  const upload = long.map(({ measured, expected }) => Math.abs(measured / expected - 1));
  const share = services.map((s) => Math.abs(s.achievedComputeShare / s.computeShare - 1));
  return {
    tasks: services.length,
    uploads: long.length,
    medianRatio: quantile(upload, 0.5),
    p95Ratio: quantile(upload, 0.95),
    shareMedianRatio: quantile(share, 0.5),
    shareP95Ratio: quantile(share, 0.95),
  };
};

/** The smallest value with at least this share of the values at or below it; NaN of nothing. */
export const quantile = (values: readonly number[], probability: number): number =>
  [...values].sort((a, b) => a - b)[Math.max(Math.ceil(probability * values.length) - 1, 0)] ?? Number.NaN;
