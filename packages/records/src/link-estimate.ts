import { slopeOf } from "./slope.ts";

/** An upload as its server timed it, and as Eq. (2) has it. */
export interface TimedUpload {
  readonly uploadSeconds: number;
  readonly theoreticalUploadSeconds: number;
}

/** How fast a device's link is, as its uploads show. */
export interface LinkEstimate {
  /** Effective rate over Eq. (1)'s. */
  readonly rateRatio: number;
  /** Half width of its 95 % interval; null from one upload. */
  readonly uncertaintyRatio: number | null;
  readonly uploads: number;
}

/** Newer uploads alone count: a channel changes. */
export const linkMemory = 30;
/** From fewer uploads no rate is corrected. */
const fewest = 5;

/**
 * The effective rate of a link from the errors of its last uploads.
 *
 * T = T^tr / ρ + ε: the slope of measured over theoretical times by least squares through the origin, with Student-t's
 * interval. Errors of a timer's wake-up are as long for short uploads as for long ones, so that long ones weigh more.
 *
 * @param uploads in their order
 * @returns undefined without uploads
 */
export const linkEstimate = (uploads: readonly TimedUpload[]): LinkEstimate | undefined => {
  const last = uploads.filter((upload) => upload.theoreticalUploadSeconds > 0).slice(-linkMemory);
  const fit = slopeOf(last.map((each) => ({ theory: each.theoreticalUploadSeconds, measured: each.uploadSeconds })));
  if (fit === undefined || !(fit.slope > 0)) return undefined;
  const { slope, halfWidth, n } = fit;
  const rateRatio = 1 / slope;
  // ρ = 1 / slope: its uncertainty is ρ² times the slope's.
  return { rateRatio, uncertaintyRatio: halfWidth === null ? null : halfWidth * rateRatio ** 2, uploads: n };
};

/** Errors of the emulation and of clocks: a link that differs by less from the theory is left as it is. */
const negligible = 0.05;

/** What to multiply Eq. (1)'s rate by: 1 as long as the uploads could be those of a link that keeps to the theory. */
export const rateCorrection = (estimate: LinkEstimate | undefined): number => {
  if (estimate === undefined || estimate.uncertaintyRatio === null || estimate.uploads < fewest) return 1;
  const { rateRatio, uncertaintyRatio } = estimate;
  return Math.abs(rateRatio - 1) > Math.max(uncertaintyRatio, negligible) ? rateRatio : 1;
};
