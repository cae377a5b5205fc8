// How often the 95 % bands of a comparison hold the truth at n = 3, 5 and 10: over trials of the simulator, whose numbers are
// skewed and cut off at 1 as a laboratory's are. The truth is the mean of all trials; every band is of n of them, none used twice.
//   npm run study:coverage [-- --format json]
import { parseArgs } from "node:util";
import { isSuccess, outcomes, testbed } from "@offloadlab/model";
import {
  alignedLines,
  bootstrap,
  estimate,
  type IntervalOf,
  type Proportion,
  percentileBootstrap,
  proportion,
  proportionText,
} from "@offloadlab/records";
import { Community, type EpochTotals, policyFor, runOpenEpoch } from "@offloadlab/simulation";

const { values } = parseArgs({
  options: { format: { type: "string", default: "text" }, trials: { type: "string", default: "4000" } },
});
const trialCount = Number(values.trials);
const sizes = [3, 5, 10];
const compared = ["fair", "greedy", "local"] as const;

const metrics = {
  success: ({ outcomes: counts }: EpochTotals) =>
    outcomes.filter(isSuccess).reduce((sum, outcome) => sum + counts[outcome], 0),
  energy: ({ energyJoules }: EpochTotals) => energyJoules,
  waiting: ({ waitingSeconds }: EpochTotals) => waitingSeconds,
  reward: ({ reward }: EpochTotals) => reward,
} as const;
type Metric = keyof typeof metrics;
const names = Object.keys(metrics) as Metric[];

type Trial = Readonly<Record<Metric, number>>;

/** What one policy made of the arrivals of one seed, per task, all communities together. */
const trialOf = async (policy: (typeof compared)[number], seed: number): Promise<Trial> => {
  const totals: EpochTotals[] = [];
  for (const index of testbed.communities.keys()) {
    const community = new Community(testbed, index, seed);
    totals.push(await runOpenEpoch(community, policyFor(policy, community), seed));
  }
  const sum = (of: (totals: EpochTotals) => number): number => totals.reduce((all, each) => all + of(each), 0);
  const tasks = sum((each) => each.tasks);
  return Object.fromEntries(names.map((name) => [name, sum(metrics[name]) / tasks])) as Trial;
};

const seeds = Array.from({ length: trialCount }, (_, i) => i + 1);
const trials = new Map<string, Trial[]>();
for (const policy of compared) {
  const own: Trial[] = [];
  for (const seed of seeds) own.push(await trialOf(policy, seed));
  trials.set(policy, own);
}

const studentInterval: IntervalOf = (sample) => {
  const { mean, halfWidth } = estimate(sample);
  return mean === null || halfWidth === null ? null : [mean - halfWidth, mean + halfWidth];
};
const bands = { student: studentInterval, bootstrap: bootstrap(1), percentile: percentileBootstrap(1) };

interface Row {
  /** A policy's own mean, or a difference of two. */
  readonly what: string;
  readonly metric: Metric;
  readonly n: number;
  readonly coverage: Readonly<Record<keyof typeof bands, Proportion>>;
}

const of = (policy: string, metric: Metric): number[] => (trials.get(policy) ?? []).map((trial) => trial[metric]);
const rows = names.flatMap((metric) => {
  const [fair, greedy, local] = compared.map((policy) => of(policy, metric)) as [number[], number[], number[]];
  const samples = {
    fair,
    greedy,
    "fair - greedy": fair.map((value, i) => value - (greedy[i] as number)),
    "greedy - local": greedy.map((value, i) => value - (local[i] as number)),
  };
  return Object.entries(samples).flatMap(([what, sample]) => sizes.map((n) => coverageOf(what, metric, n, sample)));
});

function coverageOf(what: string, metric: Metric, n: number, sample: readonly number[]): Row {
  const truth = sample.reduce((sum, value) => sum + value, 0) / sample.length;
  const groups = Array.from({ length: Math.floor(sample.length / n) }, (_, i) => sample.slice(i * n, (i + 1) * n));
  const covered = (intervalOf: IntervalOf): Proportion => {
    const held = groups.filter((group) => {
      const [low, high] = intervalOf(group) as readonly [number, number];
      return low <= truth && truth <= high;
    });
    return proportion(held.length, groups.length);
  };
  const coverage = Object.fromEntries(Object.entries(bands).map(([name, of]) => [name, covered(of)]));
  return { what, metric, n, coverage: coverage as Row["coverage"] };
}

if (values.format === "json") {
  process.stdout.write(`${JSON.stringify({ trials: trialCount, preset: "testbed", rows })}\n`);
} else {
  const cells = [
    ["metric", "of", "n", "Student-t", "bootstrap", "percentile bootstrap", "bands"],
    ...rows.map(({ what, metric, n, coverage: { student, bootstrap: wide, percentile } }) => [
      metric,
      what,
      String(n),
      ...[student, wide, percentile].map(proportionText),
      String(student.n),
    ]),
  ];
  process.stdout.write(`${alignedLines(cells, 2).join("\n")}\n`);
}
