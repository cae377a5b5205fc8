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
import { type RoundsSummary, roundsText, summaryOfRounds } from "./rounds-report.ts";

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
  /** Of `epochs to 0.95`: trainings of the first and of the second that never reached it. */
  readonly censored?: readonly [number, number];
  /** That the first one is better. */
  readonly verdict: Verdict;
}

/** Whether federation helps. */
export interface FederationReport {
  /** How soon methods learn. */
  readonly learned: readonly Learned[];
  /** What they have learned in the end. */
  readonly better: readonly LearnedBetter[];
  /** What PFR-OA's rounds came to, where it was trained. */
  readonly rounds?: RoundsSummary;
}

/** @param names of the communities, in their order */
export const federationOf = (
  names: readonly string[],
  curves: readonly TrialCurve[],
  sums: readonly EpochSums[],
): FederationReport => {
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
      const [first, second] = pair.map((policy) => censoredCount(learned, policy, community)) as [number, number];
      const censored = [first, second] as const;
      return [
        { ...common, measure: "epochs to 0.95", difference: epochs, censored, verdict: verdictOn(sooner) },
        { ...common, measure: "success rate", difference: success, verdict: verdictOn(success) },
        { ...common, measure: "reward per epoch", difference: reward, verdict: verdictOn(reward) },
      ];
    }),
  );
  const federated = curves.filter(({ policy }) => policy === "pfr-oa").map(({ rounds }) => rounds);
  return { learned, better, ...(federated.length === 0 ? {} : { rounds: summaryOfRounds(names, federated) }) };
};

/** Trainings of a method that never reached the success rate. */
const censoredCount = (learned: readonly Learned[], policy: string, community: string): number => {
  const own = learned.find((each) => each.policy === policy && each.community === community);
  return own === undefined ? 0 : own.epochs.n - own.reachedCount;
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

/** Tables: how soon each method learned, whether one is better than the other, and what PFR-OA's rounds came to. */
export const federationText = ({ learned, better, rounds }: FederationReport): string => {
  const soon = learned.map(({ policy, community, reachedCount, epochs }) => [
    `  ${community}`,
    policy,
    `${reachedCount} of ${epochs.n}`,
    formatEstimate(epochs, 1),
  ]);
  const compared = better.map(({ policies, community, measure, difference, censored, verdict }) => [
    `  ${community}`,
    `${policies[0]} better than ${policies[1]}`,
    measure,
    formatEstimate(difference, measure === "success rate" ? 4 : 1),
    String(difference.n),
    censored === undefined ? "" : `${censored[0]} and ${censored[1]}`,
    verdict,
  ]);
  return [
    `Epochs to a success rate of ${reached} (mean of three successive ones), random ones included; one that never reached it counts with all its epochs:`,
    ...alignedLines([["  community", "method", "reached by", "epochs"], ...soon], 3),
    "",
    "Differences paired by seed, with 95 % intervals over n seeds; success rate and reward after the last epoch of training.",
    "Never reached: trainings of the one and of the other that count with all their epochs, by which a difference is too small:",
    ...alignedLines([["  community", "claim", "measure", "difference", "n", "never reached", ""], ...compared], 7),
    ...(rounds === undefined
      ? []
      : [
          "",
          `PFR-OA's ${rounds.rounds} rounds in ${rounds.trainings} trainings: λ over rounds and communities, and whose models were averaged:`,
          roundsText(rounds),
        ]),
  ].join("\n");
};
