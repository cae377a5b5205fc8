import { loopAxes, loopPoint, type SweepRow } from "@offloadlab/records";

/** What the paper says of its methods, best first, whatever the calibration. */
interface Claim {
  readonly metric: "successRatio" | "energyJoules" | "waitingSeconds";
  readonly name: string;
  readonly order: readonly string[];
  readonly best: "highest" | "lowest";
}

const claims: readonly Claim[] = [
  { metric: "successRatio", name: "success rate", order: ["greedy", "local", "edge"], best: "highest" },
  { metric: "energyJoules", name: "energy", order: ["local", "greedy", "edge"], best: "lowest" },
  { metric: "waitingSeconds", name: "waiting time", order: ["greedy", "local", "edge"], best: "lowest" },
];

/** Whether one policy is ahead of another, as the paper says it is. */
export interface Ordering {
  readonly variables: SweepRow["variables"];
  readonly metric: Claim["metric"];
  /** The one that is ahead in the paper, then the other, with their means. */
  readonly policies: readonly [string, string];
  readonly means: readonly [number, number];
  readonly holds: boolean;
}

/** The orderings of neighbours in the paper's ranking, at each point of a sweep, as far as both were run. */
export const orderingsOf = (rows: readonly SweepRow[]): Ordering[] => {
  const points = [...new Set(rows.map(({ variables }) => JSON.stringify(variables)))];
  return points.flatMap((point) =>
    claims.flatMap(({ metric, order, best }) => {
      const meanOf = (policy: string): number | undefined =>
        rows.find((row) => row.policy === policy && JSON.stringify(row.variables) === point)?.[metric].mean ??
        undefined;
      const known = order.filter((policy) => meanOf(policy) !== undefined);
      return known.slice(1).map((second, index): Ordering => {
        const first = known[index] as string;
        const means = [meanOf(first) as number, meanOf(second) as number] as const;
        const holds = best === "highest" ? means[0] > means[1] : means[0] < means[1];
        return {
          variables: JSON.parse(point) as SweepRow["variables"],
          metric,
          policies: [first, second],
          means,
          holds,
        };
      });
    }),
  );
};

/** One line for each claim: where it holds and where it does not. */
export const orderingsText = (orderings: readonly Ordering[]): string => {
  const lines = claims.flatMap(({ metric, name, order, best }) => {
    const own = orderings.filter((ordering) => ordering.metric === metric);
    if (own.length === 0) return [];
    const broken = own.filter(({ holds }) => !holds);
    const exceptions = broken.map(({ policies, means, variables }) => {
      const [first, second] = means.map((mean) => mean.toPrecision(3));
      return `    not where ${loopPoint(variables, loopAxes)}: ${policies[0]} ${first}, ${policies[1]} ${second}`;
    });
    const claim = `  ${name}: ${order.join(best === "highest" ? " > " : " < ")}`;
    return [broken.length === 0 ? `${claim}: holds` : `${claim}:`, ...exceptions];
  });
  return ["Orderings that the paper claims:", ...lines].join("\n");
};
