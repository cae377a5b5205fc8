import { starvedCommunities } from "@offloadlab/federation";
import { alignedLines } from "@offloadlab/records";
import type { RoundRecord } from "@offloadlab/simulation";

/** What the rounds of a method's trainings came to. */
export interface RoundsSummary {
  readonly trainings: number;
  /** Of all trainings together. */
  readonly rounds: number;
  /** λ by network, over rounds, communities and trainings. */
  readonly proximalWeights: Readonly<Record<string, { readonly mean: number; readonly largest: number }>>;
  /** Of each community: rounds in which its model was averaged, and trainings in which it was starved. */
  readonly communities: readonly { readonly name: string; readonly selected: number; readonly starvedIn: number }[];
}

/** @param names of the communities, in their order @param trainings the rounds of each */
export const summaryOfRounds = (
  names: readonly string[],
  trainings: readonly (readonly RoundRecord[])[],
): RoundsSummary => {
  const rounds = trainings.flat();
  const weights = rounds.flatMap(({ proximalWeights }) => proximalWeights);
  const networks = Object.keys(weights[0] ?? {});
  const selections = trainings.map((own) =>
    names.map((_, community) => own.filter(({ participants }) => participants.includes(community)).length),
  );
  const starved = trainings.map((own, training) => starvedCommunities(selections[training] ?? [], own.length));
  return {
    trainings: trainings.length,
    rounds: rounds.length,
    proximalWeights: Object.fromEntries(
      networks.map((network) => {
        const lambdas = weights.map((each) => each[network] ?? 0);
        const mean = lambdas.reduce((sum, lambda) => sum + lambda, 0) / lambdas.length;
        return [network, { mean, largest: Math.max(...lambdas) }];
      }),
    ),
    communities: names.map((name, community) => ({
      name,
      selected: selections.reduce((sum, counts) => sum + (counts[community] ?? 0), 0),
      starvedIn: starved.filter((each) => each.includes(community)).length,
    })),
  };
};

/** λ of each network, and how often each community was selected. */
export const roundsText = ({ trainings, rounds, proximalWeights, communities }: RoundsSummary): string => {
  const lambdas = Object.entries(proximalWeights).map(([network, { mean, largest }]) => [
    `  ${network}`,
    mean.toFixed(5),
    largest.toFixed(5),
  ]);
  const selections = communities.map(({ name, selected, starvedIn }) => [
    `  ${name}`,
    `${selected} of ${rounds}`,
    starvedIn === 0 ? "no" : `in ${starvedIn} of ${trainings}`,
  ]);
  return [
    ...alignedLines([["  network", "mean λ", "largest λ"], ...lambdas], 1),
    ...alignedLines([["  community", "selected in rounds", "starved"], ...selections], 1),
  ].join("\n");
};
