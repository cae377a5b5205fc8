import { type CurveMetric, type CurvePoint, learningCurves } from "./learning-curves.ts";
import { type Provenance, provenanceLine } from "./provenance.ts";
import type { TrialCurve } from "./sweep-folder.ts";

const metrics: readonly { metric: CurveMetric; column: (part: string) => string }[] = [
  { metric: "reward", column: (part) => `reward_per_epoch_${part}` },
  { metric: "successRatio", column: (part) => `success_${part}_ratio` },
  { metric: "energyJoules", column: (part) => `energy_${part}_joules` },
  { metric: "waitingSeconds", column: (part) => `waiting_${part}_seconds` },
];

/** Learning curves for a spreadsheet or a plotting program, as `sweepCsv` is, of all communities together and of each. */
export const curvesCsv = (curves: readonly TrialCurve[], provenance: Provenance): string => {
  const names = [...new Set(curves.flatMap(({ records }) => records.map(({ community }) => community)))].sort();
  const variables = Object.keys(curves[0]?.variables ?? {});
  const lines = ["all", ...names].flatMap((community) => {
    const byMetric = metrics.map(({ metric }) => learningCurves(curves, metric, community));
    return (byMetric[0] ?? []).map(({ policy, variables: values, epoch, estimate }, index) => [
      ...variables.map((name) => values[name]),
      policy,
      community,
      epoch,
      estimate.n,
      ...byMetric.flatMap((points) => ends(points[index] as CurvePoint)),
    ]);
  });
  const columns = metrics.flatMap(({ column }) => ["mean", "low", "high"].map(column));
  return [
    `# ${provenanceLine(provenance)}; low and high: 95 % Student-t interval over n trainings\n`,
    ...[[...variables, "policy", "community", "epoch", "n", ...columns], ...lines].map((line) => `${line.join()}\n`),
  ].join("");
};

const ends = ({ estimate: { mean, halfWidth } }: CurvePoint): (number | string)[] =>
  mean === null
    ? ["", "", ""]
    : [shown(mean), ...(halfWidth === null ? ["", ""] : [shown(mean - halfWidth), shown(mean + halfWidth)])];

/** Curves have thousands of numbers: six digits are more than any of them is known to. */
const shown = (value: number): number => Number(value.toPrecision(6));
