import { type Count, count, type Ratio, ratio } from "@offloadlab/units";

/** How λ of Eq. (24) adapts. */
export interface ProximalSettings {
  /** λ before the first round, at least 0. */
  readonly start: number;
  /** How far λ moves, at least 0: 0 keeps it where it starts. */
  readonly step: number;
  /** Rounds without a rise of the loss before λ falls, at least 1: 1 lets it fall whenever the loss does not rise. */
  readonly calmRounds: Count;
}

/** How communities learn from each other. */
export interface FederationSettings {
  /** V: how many models are averaged, from 1 to m. 1 makes one community's model the global one, `all` averages all m. */
  readonly participantCount: Count | "all";
  /** ε: how likely a participant is selected by its loss. 0 selects at random, 1 the V lowest losses; no matter for `all`. */
  readonly greedyProbability: Ratio;
  /** f_q: how much of the global model a community takes. 0 learns alone, 1 replaces its own model. */
  readonly globalShare: Ratio;
  /** f_p: epochs in a round, at least 1. */
  readonly federateEvery: Count;
  readonly proximal: ProximalSettings;
  /** What Alg. 2, line 6 ranks by: losses over (mean |reward|)², or losses as they are, which favour a small q_p. */
  readonly ranking: "relative" | "raw";
  /**
   * What Alg. 2, line 9 picks with probability ε: the v-th best of those not picked yet, or any of the first V. In the
   * latter a model may be picked again, and Z_r, which is a set, has fewer than V.
   */
  readonly picks: "distinct" | "repeated";
  /** What a round leaves of an agent's targets and of Adam's moments: all, or targets that equal the mixture and no moments. */
  readonly targets: "kept" | "restarted";
}

/** How Algorithm 2 is read where it leaves room. */
export type FederationReadings = Pick<FederationSettings, "ranking" | "picks" | "targets">;

const readings: FederationReadings = { ranking: "relative", picks: "distinct", targets: "kept" };

/** f_q and f_p of §V-A, which gives neither V nor ε: these are ours. */
export const pfrOa: FederationSettings = {
  participantCount: count(2),
  greedyProbability: ratio(0.8),
  globalShare: ratio(0.3),
  federateEvery: count(50),
  proximal: { start: 0, step: 0.1, calmRounds: count(5) },
  ...readings,
};

/** The baseline of §V-A, plain federated averaging: all models, taken over whole, and no proximal term. */
export const mcfTd3: FederationSettings = {
  participantCount: "all",
  greedyProbability: ratio(1),
  globalShare: ratio(1),
  federateEvery: count(50),
  proximal: { start: 0, step: 0, calmRounds: count(5) },
  ...readings,
};

/** V of so many communities. */
export const participantCountOf = ({ participantCount }: FederationSettings, communityCount: number): number =>
  participantCount === "all" ? communityCount : participantCount;

/**
 * Asserts that so many communities can be federated so.
 *
 * @throws RangeError naming the setting
 */
export const checkFederationSettings = (settings: FederationSettings, communityCount: number): void => {
  const { greedyProbability, globalShare, federateEvery, proximal } = settings;
  const isCount = (value: number, most = Number.MAX_SAFE_INTEGER): boolean =>
    Number.isSafeInteger(value) && value >= 1 && value <= most;
  const isShare = (value: number): boolean => value >= 0 && value <= 1;
  const isSize = (value: number): boolean => value >= 0 && Number.isFinite(value);
  const participantCount = participantCountOf(settings, communityCount);

  const expectations: [name: string, value: number, isFine: boolean, expected: string][] = [
    ["participantCount", participantCount, isCount(participantCount, communityCount), `from 1 to ${communityCount}`],
    ["greedyProbability", greedyProbability, isShare(greedyProbability), "in [0, 1]"],
    ["globalShare", globalShare, isShare(globalShare), "in [0, 1]"],
    ["federateEvery", federateEvery, isCount(federateEvery), "of at least 1"],
    ["proximal.start", proximal.start, isSize(proximal.start), "of at least 0"],
    ["proximal.step", proximal.step, isSize(proximal.step), "of at least 0"],
    ["proximal.calmRounds", proximal.calmRounds, isCount(proximal.calmRounds), "of at least 1"],
  ];
  for (const [name, value, isFine, expected] of expectations) {
    if (!isFine) throw new RangeError(`\`${name}\`: expected a value ${expected}, got ${value}`);
  }
};
