import { type LinkEstimate, linkEstimate, rateCorrection } from "./link-estimate.ts";
import { deviceOf, type Journals } from "./reconcile.ts";
import { warmUpTrial } from "./schedule.ts";

/** How fast a device's link was at the end of a run, and whether leases may count on it. */
export interface DeviceLink extends LinkEstimate {
  readonly device: string;
  /** What `link: corrected` multiplies the theory's rate by. */
  readonly correctionRatio: number;
}

/** By the last uploads of each device, the warm-up's left out. */
export const deviceLinks = (journals: Journals): DeviceLink[] => {
  const services = [...journals.values()]
    .flat()
    .flatMap((record) => (record.kind === "service" && record.trial !== warmUpTrial ? [record] : []));
  return [...new Set(services.map(({ task }) => deviceOf(task)))].sort().flatMap((device) => {
    const estimate = linkEstimate(services.filter(({ task }) => deviceOf(task) === device));
    return estimate === undefined ? [] : [{ device, ...estimate, correctionRatio: rateCorrection(estimate) }];
  });
};

/** One line, and one for each device whose link surely differs from the theory. */
export const deviceLinksText = (links: readonly DeviceLink[]): string[] => {
  if (links.length === 0) return [];
  const off = links.filter(({ correctionRatio }) => correctionRatio !== 1);
  const rest = links.length - off.length;
  return [
    `link rates over Eq. (1)'s: ${rest} of ${links.length} devices as the theory has them${off.length === 0 ? "" : ", but"}`,
    ...off.map(
      ({ device, rateRatio, uncertaintyRatio, uploads }) =>
        `  ${device}: ${rateRatio.toFixed(3)} ± ${(uncertaintyRatio ?? Number.NaN).toFixed(3)} by its last ${uploads} uploads`,
    ),
  ];
};
