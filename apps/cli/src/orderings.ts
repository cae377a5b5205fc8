import {
  alignedLines,
  differenceOf,
  type EpochSums,
  type Estimate,
  loopAxes,
  loopPoint,
  type SweepRow,
  sweepMetrics,
  type Verdict,
  verdictOn,
} from "@offloadlab/records";
import type { PaperRow } from "./paper-table.ts";

/** What the paper says of its methods, best first. */
interface Claim {
  readonly metric: "successRatio" | "energyJoules" | "waitingSeconds";
  readonly order: readonly string[];
  readonly best: "highest" | "lowest";
}

/** As §V-B says it, and where it says nothing as Table III has it at 15 MHz. */
const claims: readonly Claim[] = [
  {
    metric: "successRatio",
    order: ["pfr-oa", "mcf-td3", "td3", "ddpg", "dqn", "greedy", "local", "edge"],
    best: "highest",
  },
  {
    metric: "energyJoules",
    order: ["local", "pfr-oa", "mcf-td3", "td3", "ddpg", "dqn", "greedy", "edge"],
    best: "lowest",
  },
  {
    metric: "waitingSeconds",
    order: ["pfr-oa", "mcf-td3", "td3", "ddpg", "dqn", "greedy", "local", "edge"],
    best: "lowest",
  },
];

/** Whether one policy is ahead of another, as the paper says it is. */
export interface Ordering {
  readonly variables: SweepRow["variables"];
  readonly metric: Claim["metric"];
  /** The one that is ahead in the paper, then the other. */
  readonly policies: readonly [string, string];
  /** The first's minus the second's, paired by repetition. */
  readonly difference: Estimate;
  readonly verdict: Verdict;
  /** The same difference between the paper's own numbers, at points that its Table III has. */
  readonly paper?: number;
}

/** The paper's own method, which it puts beside every other one. */
const own = "pfr-oa";

/** Neighbours in a ranking, then the paper's method with each that is not next to it. */
const pairsOf = (ranking: readonly string[]): (readonly [string, string])[] => {
  const neighbours = ranking.slice(1).map((behind, index) => [ranking[index] as string, behind] as const);
  const at = ranking.indexOf(own);
  const others = ranking.flatMap((policy, index) => {
    if (at === -1 || Math.abs(index - at) <= 1) return [];
    return [index < at ? ([policy, own] as const) : ([own, policy] as const)];
  });
  return [...neighbours, ...others];
};

/**
 * The orderings of neighbours in the paper's ranking, and of PFR-OA with every other method, at each point of a sweep, as far
 * as both were run.
 *
 * @param table what the paper has at the points of the sweep
 */
export const orderingsOf = (sums: readonly EpochSums[], table: readonly PaperRow[] = []): Ordering[] => {
  const points = [...new Set(sums.map(({ variables }) => JSON.stringify(variables)))];
  return points.flatMap((point) => {
    const variables = JSON.parse(point) as SweepRow["variables"];
    const here = sums.filter((each) => JSON.stringify(each.variables) === point);
    const known = new Set(here.map(({ policy }) => policy));
    return claims.flatMap(({ metric, order, best }) => {
      const present = order.filter((policy) => known.has(policy));
      return pairsOf(present).map((policies): Ordering => {
        const difference = differenceOf(here, metric, policies);
        const { mean, ...rest } = difference;
        const ahead = { ...rest, mean: mean === null || best === "highest" ? mean : -mean };
        const [first, other] = policies.map((policy) =>
          table.find((row) => row.policy === policy && row.bandwidthHertz === variables["bandwidth_hertz"]),
        );
        return {
          variables,
          metric,
          policies,
          difference,
          verdict: verdictOn(ahead),
          ...(first && other ? { paper: first.paper[metric] - other.paper[metric] } : {}),
        };
      });
    });
  });
};

const verdicts: readonly Verdict[] = ["holds", "does not hold", "cannot be told"];

/** Each claim: of how many pairs it holds, and every pair with its difference. */
export const orderingsText = (orderings: readonly Ordering[]): string => {
  const sections = claims.flatMap(({ metric, order, best }) => {
    const claimed = orderings.filter((ordering) => ordering.metric === metric);
    if (claimed.length === 0) return [];
    const run = order.filter((policy) => claimed.some(({ policies }) => policies.includes(policy)));
    const counts = verdicts.map((verdict) => `${claimed.filter((each) => each.verdict === verdict).length} ${verdict}`);
    const { title, digits } = sweepMetrics[metric];
    const lines = claimed.map(({ variables, policies, difference, verdict, paper }) => [
      `  ${loopPoint(variables, loopAxes)}`,
      policies.join(best === "highest" ? " > " : " < "),
      signed(difference, digits),
      `n ${difference.n}`,
      paper === undefined ? "" : `paper ${signed({ mean: paper, halfWidth: null, n: 1 }, 2)}`,
      verdict,
    ]);
    return [
      `${title}: ${run.join(best === "highest" ? " > " : " < ")}: ${counts.join(", ")}`,
      ...alignedLines(lines, 6),
    ];
  });
  return [
    "Orderings that the paper claims, of neighbours and of PFR-OA with every other method: the difference between the two,",
    "paired by seed, with its 95 % interval over n seeds.",
    `It holds, or does not, where the whole interval says so; each of the ${orderings.length} intervals stands for itself.`,
    ...sections,
  ].join("\n");
};

const signed = ({ mean, halfWidth }: Estimate, digits: number): string => {
  if (mean === null) return "-";
  return `${mean < 0 ? "" : "+"}${mean.toFixed(digits)}${halfWidth === null ? "" : ` ± ${halfWidth.toFixed(digits)}`}`;
};

/** For a spreadsheet, a line per pair. */
export const orderingsCsv = (orderings: readonly Ordering[]): string => {
  const variables = Object.keys(orderings[0]?.variables ?? {});
  const lines = orderings.map(({ variables: values, metric, policies, difference, verdict, paper }) => {
    const { mean, halfWidth, n } = difference;
    const ends = mean === null || halfWidth === null ? ["", ""] : [mean - halfWidth, mean + halfWidth];
    return [
      ...variables.map((name) => values[name]),
      metric,
      ...policies,
      mean ?? "",
      ...ends,
      n,
      paper ?? "",
      verdict,
    ];
  });
  const columns = ["metric", "ahead", "behind", "difference", "low", "high", "n", "difference_in_paper", "verdict"];
  return [[...variables, ...columns], ...lines].map((line) => `${line.join()}\n`).join("");
};
