import type { Journals } from "./reconcile.ts";
import { warmUpTrial } from "./schedule.ts";

/** How well leases were kept: relative errors of upload times and of compute shares. */
export interface LeaseQuality {
  readonly uploads: number;
  /** |measured - theoretical| / theoretical T^tr */
  readonly medianRatio: number;
  readonly p95Ratio: number;
  /** |achieved - leased| / leased compute share */
  readonly shareMedianRatio: number;
  readonly shareP95Ratio: number;
}

/** Errors over all served tasks of a run; NaN without any. */
export const leaseQuality = (journals: Journals): LeaseQuality => {
  const services = [...journals.values()]
    .flat()
    .filter((record) => record.kind === "service")
    .filter(({ trial }) => trial !== warmUpTrial);
  const upload = services.map((s) => Math.abs(s.uploadSeconds / s.theoreticalUploadSeconds - 1));
  const share = services.map((s) => Math.abs(s.achievedComputeShare / s.computeShare - 1));
  return {
    uploads: services.length,
    medianRatio: quantile(upload, 0.5),
    p95Ratio: quantile(upload, 0.95),
    shareMedianRatio: quantile(share, 0.5),
    shareP95Ratio: quantile(share, 0.95),
  };
};

/** The smallest value with at least this share of the values at or below it; NaN of nothing. */
export const quantile = (values: readonly number[], probability: number): number =>
  [...values].sort((a, b) => a - b)[Math.max(Math.ceil(probability * values.length) - 1, 0)] ?? Number.NaN;
