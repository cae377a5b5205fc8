import type { ProximalSettings } from "./settings.ts";

/** The λ of one network of one community, and what moves it. */
export interface ProximalWeightState {
  /** λ */
  readonly weight: number;
  /** The last finite loss; `undefined` before there was one. */
  readonly lastLoss: number | undefined;
  /** Rounds since the loss last rose, or λ last fell. */
  readonly calmRounds: number;
}

/** Where λ starts. */
export const initialProximalWeight = (settings: ProximalSettings): ProximalWeightState => ({
  weight: settings.start,
  lastLoss: undefined,
  calmRounds: 0,
});

/**
 * Adapts λ to a round's loss: a step up when the loss rose since the last round, a step down after every `calmRounds`
 * rounds without a rise, never below 0.
 *
 * §IV-B says only that λ grows with the loss of improper decisions and shrinks with that of proper ones; the rule is that
 * of Li et al., Federated Optimization in Heterogeneous Networks (MLSys 2020), appendix C.3.3, with its 0.1 and 5.
 *
 * Differs: a loss that is not finite counts as a rise. The first loss has none before it and moves nothing.
 *
 * @param loss L(θ), without the proximal term, or λ would raise itself
 */
export const nextProximalWeight = (
  state: ProximalWeightState,
  loss: number,
  settings: ProximalSettings,
): ProximalWeightState => {
  const { weight, lastLoss, calmRounds } = state;
  if (!Number.isFinite(loss)) return { weight: rounded(weight + settings.step), lastLoss, calmRounds: 0 };
  if (lastLoss === undefined) return { weight, lastLoss: loss, calmRounds: 0 };
  if (loss > lastLoss) return { weight: rounded(weight + settings.step), lastLoss: loss, calmRounds: 0 };
  if (calmRounds + 1 < settings.calmRounds) return { weight, lastLoss: loss, calmRounds: calmRounds + 1 };
  return { weight: Math.max(0, rounded(weight - settings.step)), lastLoss: loss, calmRounds: 0 };
};

/** To twelve digits, so that as many steps down as up lead back to where λ was, to 0 above all. */
const rounded = (weight: number): number => Number(weight.toPrecision(12));
