import {
  alignedLines,
  differenceOf,
  type EpochSums,
  type Estimate,
  formatEstimate,
  sweepMetrics,
  type Verdict,
  verdictOn,
} from "@offloadlab/records";

/** What §V-B says of Fig. 5: the value with which PFR-OA is to learn best. */
const claimed: Readonly<Record<string, number>> = { discount_ratio: 0.995, learning_rate: 1e-4 };

/** Whether the paper's best value of a hyperparameter is ahead of another one. */
export interface BestValue {
  readonly variable: string;
  readonly best: number;
  readonly other: number;
  readonly metric: "successRatio" | "rewardPerEpoch";
  /** The best value's minus the other's, paired by repetition. */
  readonly difference: Estimate;
  readonly verdict: Verdict;
}

/** Every value of a sweep over γ or τ beside the one that the paper says is best; none of other sweeps. */
export const bestValuesOf = (sums: readonly EpochSums[]): BestValue[] => {
  const variables = Object.keys(sums[0]?.variables ?? {});
  const [variable] = variables;
  const best = claimed[variable ?? ""];
  if (variable === undefined || best === undefined || variables.length !== 1) return [];
  const valueIn = (each: EpochSums): number => Number(each.variables[variable]);
  // Values take the place of policies: the same trials are compared.
  const byValue = sums.map((each) => ({ ...each, policy: String(valueIn(each)) }));
  const others = [...new Set(sums.map(valueIn))].filter((value) => value !== best);
  if (others.length === new Set(sums.map(valueIn)).size) return [];
  return (["successRatio", "rewardPerEpoch"] as const).flatMap((metric) =>
    others.map((other): BestValue => {
      const difference = differenceOf(byValue, metric, [String(best), String(other)]);
      return { variable, best, other, metric, difference, verdict: verdictOn(difference) };
    }),
  );
};

export const bestValuesText = (values: readonly BestValue[]): string[] => {
  const [first] = values;
  if (first === undefined) return [];
  const lines = values.map(({ variable, best, other, metric, difference, verdict }) => [
    `  ${sweepMetrics[metric].title}`,
    `${variable} ${best} > ${other}`,
    formatEstimate(difference, metric === "successRatio" ? 3 : 1),
    `n ${difference.n}`,
    verdict,
  ]);
  return [
    "",
    `The paper says that ${first.variable} ${first.best} is best. The difference between it and each other value, paired by seed, with its`,
    "95 % interval over n seeds; it holds, or does not, where the whole interval says so.",
    ...alignedLines(lines, 5),
  ];
};
