import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  alignedLines,
  answerRows,
  answersText,
  differenceOf,
  type EpochSums,
  formatEstimate,
  loopAxes,
  loopPoint,
  planText,
  type SweepPlan,
  type SweepRow,
  sweepPlan,
  sweepTable,
} from "@offloadlab/records";
import { bestValuesOf, bestValuesText } from "./best-value.ts";
import { exitCodes } from "./exit-codes.ts";
import { type ExperimentSource, experimentOf, type ManifestChanges } from "./experiment-source.ts";
import { federationOf, federationText } from "./federation-report.ts";
import { orderingsOf, orderingsText } from "./orderings.ts";
import { type Format, minutes, ProgressLine, printResult } from "./output.ts";
import { besideOf, comparisonText } from "./paper-comparison.ts";
import { paperTable } from "./paper-table.ts";
import { experimentsFolder } from "./paths.ts";
import { quickManifest } from "./quick.ts";
import { trainingsOf, writeReproduction } from "./reproduction-files.ts";
import { writeResultsReadme } from "./results-readme.ts";
import { commitOfCode, provenanceOf, runSweep, type SweepOptions } from "./sweep-commands.ts";

/** The manifests of each experiment, in the order in which `all` makes them: what needs no training of its own comes early. */
const manifests = {
  table3: ["table3"],
  fig6: ["fig6"],
  fig7: ["fig7"],
  fig8: ["fig8"],
  fig9: ["fig9"],
  federation: ["federation", "federation-few-samples", "federation-joining", "federation-one-poor"],
  fig5: ["fig5-discount", "fig5-learning-rate"],
  "paper-settings": ["paper-settings"],
} as const satisfies Record<string, readonly string[]>;
export const reproducible = [...(Object.keys(manifests) as (keyof typeof manifests)[]), "all"] as const;
export type Reproducible = (typeof reproducible)[number];

export interface ReproduceOptions extends ManifestChanges, Pick<SweepOptions, "on" | "processes" | "sbatch"> {
  /** For a look: one seed and few epochs. */
  readonly quick?: boolean;
  /** Where tables and figures go. */
  readonly out: string;
  /** Where trials and trainings are kept, to go on from. */
  readonly sweeps: string;
  readonly format: Format;
}

/** `offload reproduce`: the paper's experiments as sweeps, their figures, and the paper's numbers beside; goes on where it was stopped. */
export const reproduce = async (what: Reproducible, options: ReproduceOptions): Promise<void> => {
  const { quick = false, out, sweeps, on, processes, sbatch, format, ...changes } = options;
  const names = what === "all" ? Object.values(manifests).flat() : manifests[what];
  // One commit for all: what is written in between makes no other code.
  const commit = await commitOfCode();
  const progress = new ProgressLine();
  const done: Awaited<ReturnType<typeof reproduceOne>>[] = [];
  for (const name of names) {
    progress.done(`${name} (${done.length + 1} of ${names.length})`);
    const source = await sourceOf(name, quick, changes);
    done.push(await reproduceOne(name, source, commit, options));
    await writeResultsReadme(out);
  }
  const text = done.map(({ text, files }) => `${text}\n${files.join(" ")}`).join("\n\n");
  const [only] = done;
  printResult(format, exitCodes.ok, text, done.length === 1 ? only?.data : done.map(({ data }) => data));
};

const sourceOf = async (name: string, quick: boolean, changes: ManifestChanges): Promise<ExperimentSource> => {
  const file = join(experimentsFolder, `${name}.yaml`);
  const text = await readFile(file, "utf8");
  return experimentOf(quick ? quickManifest(text) : text, file, changes);
};

const reproduceOne = async (name: string, source: ExperimentSource, commit: string, options: ReproduceOptions) => {
  const { out, sweeps, on, processes, sbatch, format } = options;
  const started = performance.now();
  const digest = createHash("sha256")
    .update(planText(sweepPlan(source.experiment, commit)))
    .digest("hex")
    .slice(0, 8);
  const finished = await runSweep(source, {
    on,
    format,
    commit,
    out: join(sweeps, `${name}-${digest}`),
    trainings: join(sweeps, "trainings"),
    ...(processes === undefined ? {} : { processes }),
    ...(sbatch === undefined ? {} : { sbatch }),
  });
  const { folder, plan, rows, sums, curves, made } = finished;
  // The paper's numbers and the fit are of its own preset, whose bandwidths alone are varied.
  const comparable = name === "table3" && (options.preset ?? "paper") === "paper" && (options.set ?? []).length === 0;
  const own = rows.filter(({ community }) => community === "all");
  const orderings = orderingsOf(sums, comparable ? paperTable : []);
  const bestValues = bestValuesOf(sums);
  const federation = name.startsWith("federation") ? federationOf(communityNames(plan), curves, sums) : undefined;
  const { trainings, processorSeconds } = trainingsOf(finished);
  const text = [
    ...(comparable ? [comparisonText(own)] : [sweepTable(own, provenanceOf(plan)).trimEnd()]),
    ...(federation === undefined ? [] : ["", federationText(federation)]),
    ...(orderings.length === 0 ? [] : ["", orderingsText(orderings)]),
    ...bestValuesText(bestValues),
    ...besideFair(sums),
    ...answersText(answerRows(sums)),
    "",
    `${plan.trials.length} trials; their ${trainings} trainings took ${minutes(processorSeconds)} minutes of one processor, whichever experiment they were made for`,
  ].join("\n");
  const target = join(out, name);
  const files = (await writeReproduction(target, text, finished, orderings, commandOf(name, options))).map((file) =>
    join(target, file),
  );
  const seconds = (performance.now() - started) / 1000;
  const data = {
    experiment: name,
    folder,
    files,
    trials: plan.trials.length,
    made,
    seconds,
    processorSeconds,
    rows: own.map((row) => ({ ...row, ...row.variables, ...(comparable ? besideOf(row) : {}) })),
    orderings,
    bestValues,
    ...(federation === undefined ? {} : { federation }),
    communities: rows.filter(({ community }) => community !== "all"),
  };
  const took = `${made} of ${plan.trials.length} trials were made now, in ${minutes(seconds)} minutes; they are in ${folder}`;
  return { text: `${text}\n${took}`, files, data };
};

/** In their order, which is the same at all points. */
const communityNames = ({ points }: SweepPlan): string[] =>
  (points[0]?.settings.communities ?? []).map(({ name }) => name);

/** How far PFR-OA's reward is from that of Fair, which learns nothing and sees what PFR-OA sees. */
const besideFair = (sums: readonly EpochSums[]): string[] => {
  const policies = new Set(sums.map(({ policy }) => policy));
  if (!policies.has("pfr-oa") || !policies.has("fair")) return [];
  const communities = [...new Set(sums.map(({ community }) => community))].sort();
  const points = [...new Set(sums.map(({ variables }) => JSON.stringify(variables)))];
  const lines = points.map((point) => {
    const place = loopPoint(JSON.parse(point) as SweepRow["variables"], loopAxes);
    const own = sums.filter(({ variables }) => JSON.stringify(variables) === point);
    const cells = communities.map((community) => {
      const difference = differenceOf(own, "rewardPerEpoch", ["pfr-oa", "fair"], community);
      return `${community} ${formatEstimate(difference, 1)} (n ${difference.n})`;
    });
    return [`  ${place}`, ...cells];
  });
  return [
    "",
    "Reward per epoch, PFR-OA minus Fair, paired by seed, with its 95 % interval over n seeds:",
    ...alignedLines(lines, 1),
  ];
};

/** What makes the same again. */
const commandOf = (name: string, { quick = false, set = [], policy = [], ...options }: ReproduceOptions): string => {
  const what = Object.entries(manifests).find(([, names]) => (names as readonly string[]).includes(name))?.[0];
  const { preset, policies, repetitions, epochs, seed } = options;
  const given = Object.entries({ preset, policies, repetitions, epochs, seed })
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `--${key} ${String(value)}`);
  const changes = [...given, ...policy.map((each) => `--policy ${each}`), ...set.map((each) => `--set ${each}`)];
  return ["npx offload reproduce", what, ...(quick ? ["--quick"] : []), ...changes].join(" ");
};
