import {
  alignedLines,
  differenceOf,
  type EpochSums,
  type Estimate,
  epochsToReach,
  estimate,
  formatEstimate,
  type TrialCurve,
  type Verdict,
  verdictOn,
} from "@offloadlab/records";

/** The success rate that a learner has to reach. */
const reached = 0.95;

const pairs = [
  ["pfr-oa", "td3"],
  ["mcf-td3", "td3"],
  ["pfr-oa", "mcf-td3"],
] as const;

/** How soon, and how well, one method learned in one community. */
export interface Learned {
  readonly policy: string;
  readonly community: string;
  /** Trainings that reached it, of `epochs.n`. */
  readonly reachedCount: number;
  /** Until it was reached; one that never reached it counts with all that it had. */
  readonly epochs: Estimate;
}

/** Whether one method learned better than another. */
export interface LearnedBetter {
  readonly policies: readonly [string, string];
  readonly community: string;
  readonly measure: "epochs to 0.95" | "success rate" | "reward per epoch";
  /** The first's minus the second's, paired by seed. */
  readonly difference: Estimate;
  /** That the first one is better. */
  readonly verdict: Verdict;
}

/** Whether federation helps: how soon methods learn, and what they have learned in the end. */
export const federationOf = (
  curves: readonly TrialCurve[],
  sums: readonly EpochSums[],
): { learned: Learned[]; better: LearnedBetter[] } => {
  const communities = ["all", ...new Set(curves.flatMap(({ records }) => records.map(({ community }) => community)))];
  const policies = [...new Set(curves.map(({ policy }) => policy))];
  const learned = communities.flatMap((community) =>
    policies.map((policy): Learned => {
      const own = curves.filter((curve) => curve.policy === policy);
      const reachedCount = own.filter((curve) => epochsToReach(curve, reached, community) !== undefined).length;
      return { policy, community, reachedCount, epochs: estimate(own.map((curve) => epochsOf(curve, community))) };
    }),
  );
  const present = pairs.filter((pair) => pair.every((policy) => policies.includes(policy)));
  const better = communities.flatMap((community) =>
    present.flatMap((pair): LearnedBetter[] => {
      const epochs = pairedEpochs(curves, pair, community);
      const success = differenceOf(sums, "successRatio", pair, community);
      const reward = differenceOf(sums, "rewardPerEpoch", pair, community);
      const sooner = { ...epochs, mean: epochs.mean === null ? null : -epochs.mean };
      const common = { policies: pair, community };
      return [
        { ...common, measure: "epochs to 0.95", difference: epochs, verdict: verdictOn(sooner) },
        { ...common, measure: "success rate", difference: success, verdict: verdictOn(success) },
        { ...common, measure: "reward per epoch", difference: reward, verdict: verdictOn(reward) },
      ];
    }),
  );
  return { learned, better };
};

const epochsOf = (curve: TrialCurve, community: string): number => {
  const epochs = curve.records.filter((record) => community === "all" || record.community === community);
  const numbers = epochs.map(({ epoch }) => epoch);
  return epochsToReach(curve, reached, community) ?? Math.max(...numbers) - Math.min(...numbers);
};

const pairedEpochs = (
  curves: readonly TrialCurve[],
  [first, second]: readonly [string, string],
  community: string,
): Estimate =>
  estimate(
    curves
      .filter(({ policy }) => policy === first)
      .flatMap((curve) => {
        const other = curves.find(({ policy, repetition }) => policy === second && repetition === curve.repetition);
        return other === undefined ? [] : [epochsOf(curve, community) - epochsOf(other, community)];
      }),
  );

/** Two tables: how soon each method learned, and whether one is better than the other. */
export const federationText = ({ learned, better }: ReturnType<typeof federationOf>): string => {
  const soon = learned.map(({ policy, community, reachedCount, epochs }) => [
    `  ${community}`,
    policy,
    `${reachedCount} of ${epochs.n}`,
    formatEstimate(epochs, 1),
  ]);
  const compared = better.map(({ policies, community, measure, difference, verdict }) => [
    `  ${community}`,
    `${policies[0]} better than ${policies[1]}`,
    measure,
    formatEstimate(difference, measure === "success rate" ? 4 : 1),
    verdict,
  ]);
  return [
    `Epochs to a success rate of ${reached} (mean of three successive ones), random ones included; one that never reached it counts with all its epochs:`,
    ...alignedLines([["  community", "method", "reached by", "epochs"], ...soon], 3),
    "",
    "Differences paired by seed, with 95 % intervals; success rate and reward after the last epoch of training:",
    ...alignedLines([["  community", "claim", "measure", "difference", ""], ...compared], 5),
  ].join("\n");
};
