import type { FederationSettings } from "./settings.ts";
import { areFinite, type Weights } from "./weights.ts";

/** What a learner says of its updates since the last round. */
export interface LearningSums {
  /** Mean un-penalised loss of each network that was updated. */
  readonly losses: Readonly<Record<string, number>>;
  /** Mean |r(t)| of the transitions. */
  readonly meanAbsoluteReward: number;
}

/**
 * What a community is ranked by: the mean un-penalised loss of its critics, over (mean |reward|)² unless it is to be raw,
 * since a raw loss grows with q_p². NaN when its weights are not finite: it has diverged.
 *
 * Alg. 2, line 5
 */
export const rankingLoss = (
  { losses, meanAbsoluteReward }: LearningSums,
  weights: Weights,
  ranking: FederationSettings["ranking"] = "relative",
): number => {
  if (!areFinite(weights)) return Number.NaN;
  const critics = Object.entries(losses).filter(([network]) => network.startsWith("critic"));
  const sum = critics.reduce((total, [, loss]) => total + loss, 0);
  const mean = sum / critics.length;
  return ranking === "raw" ? mean : mean / meanAbsoluteReward ** 2;
};

/** The loss of every network, 0 of one that was not updated: it has lost nothing. */
export const lossesOf = (networks: readonly string[], losses: LearningSums["losses"]): Record<string, number> =>
  Object.fromEntries(networks.map((network) => [network, losses[network] ?? 0]));
