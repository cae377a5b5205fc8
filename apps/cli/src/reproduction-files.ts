import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  axisOf,
  type CurveMetric,
  type CurvePoint,
  curvesCsv,
  learningCurves,
  loopAxes,
  type Provenance,
  provenanceLine,
  shownValue,
} from "@offloadlab/records";
import type { CurvePanel, PolicyStyle } from "@offloadlab/records/report";
import { type Ordering, orderingsCsv } from "./orderings.ts";
import { type Made, madeFile, readMade } from "./results-readme.ts";
import { type FinishedSweep, provenanceOf } from "./sweep-commands.ts";

/** Which curves a figure shows: one panel for each. */
type CurveView = readonly { readonly metric: CurveMetric; readonly community: string }[];

/** Each metric over all communities. */
const everyMetric: CurveView = (["reward", "successRatio", "energyJoules", "waitingSeconds"] as const).map(
  (metric) => ({ metric, community: "all" }),
);
/** What a federation has for all, and for the community that has least of its own. */
const federated: CurveView = (["successRatio", "reward"] as const).flatMap((metric) =>
  ["all", "R3"].map((community) => ({ metric, community })),
);

const views: Readonly<Record<CurveMetric, Pick<CurvePanel, "title" | "limits">>> = {
  reward: { title: "Reward per epoch", limits: [Number.NEGATIVE_INFINITY, 0] },
  successRatio: { title: "Task success rate", limits: [0, 1] },
  energyJoules: { title: "Average energy consumption [J]", limits: [0, Number.POSITIVE_INFINITY] },
  waitingSeconds: { title: "Average waiting time [s]", limits: [0, Number.POSITIVE_INFINITY] },
};

/**
 * Writes what an experiment has given: `report.txt`, tables and figures as a sweep's report, `orderings.csv`, and learning
 * curves as `curves.csv` and a figure.
 *
 * @param folder the experiment's own
 * @param command that makes the same again
 * @returns the names of the files
 */
export const writeReproduction = async (
  folder: string,
  text: string,
  finished: FinishedSweep,
  orderings: readonly Ordering[],
  command: string,
): Promise<string[]> => {
  // Drawing takes libraries that no other command needs.
  const { writeSweepReport } = await import("@offloadlab/records/report");
  const { plan, rows, curves, took } = finished;
  const provenance = provenanceOf(plan);
  const isDrawn = parts(plan.name);
  const files = await writeSweepReport(folder, rows, provenance, loopAxes, isDrawn.figure);
  await mkdir(folder, { recursive: true });
  // When all trials were there, it is told what making them took.
  const before = await readMade(folder);
  const lastTook =
    took === undefined
      ? before?.commit === plan.commit
        ? before.took
        : undefined
      : { ...took, trials: finished.made };
  const made: Made = {
    experiment: plan.name,
    command,
    commit: plan.commit,
    seed: plan.seed,
    trials: plan.trials.length,
    ...trainingsOf(finished),
    ...(lastTook === undefined ? {} : { took: lastTook }),
  };
  const texts: [name: string, text: string][] = [
    ["report.txt", `${text}\n`],
    [madeFile, `${JSON.stringify(made, null, 1)}\n`],
  ];
  if (orderings.length > 0) texts.push(["orderings.csv", orderingsCsv(orderings)]);
  if (curves.length > 0 && isDrawn.curves) texts.push(["curves.csv", curvesCsv(curves, provenance)]);
  for (const [name, content] of texts) await writeFile(join(folder, name), content);
  const drawn = isDrawn.curves ? await drawCurves(folder, finished, provenance) : [];
  return [...files, ...texts.map(([name]) => name), ...drawn];
};

/** What an experiment shows: Fig. 6 is curves alone, Figs. 7 to 9 are what Table III's trainings have learned. */
const parts = (name: string): { readonly figure: boolean; readonly curves: boolean } => ({
  figure: name !== "fig6",
  curves: !["fig7", "fig8", "fig9"].includes(name),
});

/** How many trainings an experiment needed, and what they took of one processor. */
export const trainingsOf = ({ plan, curves }: FinishedSweep) => {
  const distinct = new Map(
    curves.map(({ trial, policy, repetition, processorSeconds }) => {
      const point = plan.trials[trial - 1]?.point ?? 0;
      const world = plan.points[point]?.trainedIn === undefined ? point : "base";
      return [JSON.stringify([world, policy, repetition]), processorSeconds];
    }),
  );
  const processorSeconds = [...distinct.values()].reduce((sum, seconds) => sum + seconds, 0);
  return { trainings: distinct.size, processorSeconds: Math.round(processorSeconds) };
};

/** Curves of methods, or of one method at several values; none where both differ. */
const drawCurves = async (folder: string, finished: FinishedSweep, provenance: Provenance): Promise<string[]> => {
  const { plan, rows, curves } = finished;
  if (curves.length === 0) return [];
  const { curveFigure, orderedPolicies, valueStyle, writeFigure } = await import("@offloadlab/records/report");
  const policies = orderedPolicies(curves.map(({ policy }) => policy));
  const values = [...new Set(curves.map(({ variables }) => JSON.stringify(variables)))];
  if (policies.length > 1 && values.length > 1) return [];

  const levels = (metric: CurveMetric) =>
    rows
      .filter(({ policy, community }) => community === "all" && !policies.includes(policy))
      .map((row) => ({ policy: row.policy, mean: row[metric === "reward" ? "rewardPerEpoch" : metric].mean }))
      .flatMap(({ policy, mean }) => (mean === null ? [] : [{ policy, mean }]));
  const view = plan.name.startsWith("federation") ? federated : everyMetric;
  const panels = view.map(({ metric, community }): CurvePanel => {
    const { title, ...limits } = views[metric];
    const points = learningCurves(curves, metric, community);
    return {
      title: `${title}${community === "all" ? "" : ` in ${community}`}`,
      points,
      levels: community === "all" ? levels(metric) : [],
      ...limits,
    };
  });
  const seeds = plan.trials.reduce((most, { repetition }) => Math.max(most, repetition), 0);
  const note = `One epoch without exploration after each epoch of training; bands: 95 % Student-t intervals over ${seeds} seeds; ${provenanceLine(provenance)}`;

  if (values.length === 1) {
    const lines = orderedPolicies([...policies, ...levels("reward").map(({ policy }) => policy)]);
    const spec = curveFigure(panels, lines, ({ policy }) => policy, note);
    return writeFigure(folder, "curves", spec);
  }
  const style = (line: string): PolicyStyle => valueStyle(line, values.map(nameOfValue).indexOf(line));
  const line = ({ variables }: CurvePoint): string => nameOfValue(JSON.stringify(variables));
  return writeFigure(folder, "curves", curveFigure(panels, values.map(nameOfValue), line, note, style));
};

/** `Discount γ: 0.95` as `γ = 0.95`. */
const nameOfValue = (point: string): string =>
  Object.entries(JSON.parse(point) as CurvePoint["variables"])
    .map(([variable, value]) => {
      const axis = axisOf(variable, loopAxes);
      return `${axis.title.split(" ").at(-1)} = ${shownValue(axis, value)}`;
    })
    .join(", ");
