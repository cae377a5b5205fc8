import { readFile } from "node:fs/promises";
import { Failure, messageOf } from "@offloadlab/protocol";
import {
  falseAlarms,
  falseAlarmTable,
  type PairedSums,
  pairedDifferences,
  type Resolution,
  reachedText,
  repetitionsFor,
  sizingText,
  sweepPlan,
} from "@offloadlab/records";
import { runFolder, runReport } from "./archive-commands.ts";
import { compareTrainings } from "./evaluate-commands.ts";
import { exitCodes } from "./exit-codes.ts";
import { changedText, experimentOf, type ManifestChanges } from "./experiment-source.ts";
import { type LoadedManifest, labManifest, printRun, rehearsed, type Work } from "./lab-up.ts";
import { type Format, ProgressLine, printResult } from "./output.ts";
import { onLab } from "./run-command.ts";
import type { RunView } from "./station-client.ts";
import { commitOfCode, simulatedHere, simulatedReport } from "./sweep-commands.ts";

export interface CompareOptions extends ManifestChanges {
  /** Where a manifest is run: on the lab that is up, or one that is started for it, or in the simulator. */
  readonly on: "lab" | "rehearsal" | "simulator";
  readonly resolve?: readonly Resolution[];
  /** An archive whose pairs stand for a pilot. */
  readonly pilot?: string;
  readonly maxRepetitions: number;
  /** The policy that is compared with itself. */
  readonly aa?: string;
  readonly comparisons?: number;
  readonly home: string;
  readonly runs: string;
  readonly format: Format;
}

/** `offload compare`: of a manifest on a lab or in the simulator, of trainings, or of a policy with itself. */
export const compare = async (what: readonly string[], options: CompareOptions): Promise<void> => {
  const [first] = what;
  const isManifest = what.length === 1 && /\.ya?ml$/.test(first ?? "");
  if (options.aa !== undefined && !isManifest && first !== undefined) return selfCompareRun(first, options.aa, options);
  if (options.aa !== undefined) return selfCompare(first, options.aa, options);
  if (first === undefined) {
    throw new Failure("config/invalid", "compare: expected a manifest or folders of `offload train`, or --aa POLICY");
  }
  if (!isManifest) {
    if (options.resolve !== undefined || options.repetitions !== undefined) {
      throw new Failure("config/invalid", `--resolve and --repetitions are for a manifest, got ${what.join(" ")}`);
    }
    return compareTrainings(what, options);
  }
  await performedOn(first, await readText(first), options, (ground) => compareManifest(ground, options));
};

/** Where experiments are performed. */
interface Ground {
  /** The manifest's. */
  readonly seed: number;
  readonly progress: ProgressLine;
  perform(changes: ManifestChanges): Promise<Performed>;
}

/** An experiment that has been performed. */
interface Performed {
  readonly pairs: readonly PairedSums[];
  /** Whether its numbers count. */
  readonly isComplete: boolean;
  /** Its tables, and what else there is to say of it. */
  print(lines: readonly string[], data: object): Promise<void>;
}

/** A manifest's comparison; with a wanted resolution as long as a pilot says. */
const compareManifest = async (ground: Ground, options: CompareOptions): Promise<void> => {
  const { resolve: resolutions = [], maxRepetitions } = options;
  if (resolutions.length === 0) return (await ground.perform({})).print([], {});
  const pilot = await pilotOf(ground, options);
  if (!pilot.isComplete) {
    ground.progress.done("the pilot is not complete: nothing is sized from it");
    return pilot.print([], {});
  }
  const sizing = repetitionsFor(pairedDifferences(pilot.pairs), resolutions);
  if (sizing === null) {
    throw new Failure(
      "config/invalid",
      "--resolve: expected a pilot of at least two policies and two repetitions, got fewer",
    );
  }
  const repetitions = Math.min(sizing.repetitions, maxRepetitions);
  const bound = repetitions < sizing.repetitions ? `, more than --max-repetitions: ${repetitions} are run` : "";
  const said = `${sizingText(sizing)}${bound}`;
  ground.progress.done(said);
  // Another seed: the number of pairs must not depend on the pairs that count.
  const main = await ground.perform({ repetitions, seed: (ground.seed + 1) % 2 ** 32 });
  const lines = [said, ...reachedText(pairedDifferences(main.pairs), resolutions)];
  await main.print(lines, { sizing: { ...sizing, run: repetitions }, resolutions });
};

const pilotOf = async (ground: Ground, { pilot, runs }: CompareOptions): Promise<Performed> => {
  if (pilot === undefined) return ground.perform({});
  const { pairs, data } = await runReport(await runFolder(pilot, runs));
  // What an archive holds counts as it is: it was judged when it was sealed.
  return { pairs, isComplete: data.state === "complete", print: async () => undefined };
};

const defaultSelfComparison = `name: a-a
preset: testbed
policies: [fair]
repetitions: 10
seed: 1
clock_speed_ratio: 8
`;

/** A/A: trials of one policy, each with arrivals of its own, dealt out to comparisons of it with itself. */
const selfCompare = async (file: string | undefined, policy: string, options: CompareOptions): Promise<void> => {
  const text = file === undefined ? defaultSelfComparison : await readText(file);
  const on = options.on === "simulator" ? 200 : 20;
  const { comparisons = on, repetitions: pairs = 10 } = options;
  const changes = { policies: [policy], repetitions: 2 * pairs * comparisons };
  await performedOn(file ?? "a-a.yaml", text, { ...options, ...changes }, async (ground) => {
    const performed = await ground.perform({});
    const alarms = falseAlarms(performed.pairs, pairs, ground.seed);
    await performed.print(["", falseAlarmTable(policy, alarms, pairs)], { falseAlarms: alarms, pairs });
  });
};

/** The same of the trials that a run had of a policy. */
const selfCompareRun = async (run: string, policy: string, options: CompareOptions): Promise<void> => {
  const { repetitions: pairs = 10 } = options;
  const report = await runReport(await runFolder(run, options.runs));
  const own = report.pairs.filter((each) => each.policy === policy);
  const trials = new Set(own.map(({ repetition }) => repetition)).size;
  if (trials < 2 * pairs) {
    const what = `expected at least ${2 * pairs} trials of ${policy} for --repetitions ${pairs}, got ${trials}`;
    throw new Failure("config/invalid", `${report.data.folder}: ${what}`);
  }
  const alarms = falseAlarms(own, pairs, 1);
  const { folder, state } = report.data;
  const text = [...(state === "complete" ? [] : [`the run is ${state}`]), falseAlarmTable(policy, alarms, pairs)];
  printResult(options.format, exitCodes.ok, text.join("\n"), { folder, state, falseAlarms: alarms, pairs });
};

const readText = (file: string): Promise<string> =>
  readFile(file, "utf8").catch((error: unknown) => {
    throw new Failure("config/invalid", `${file}: cannot be read: ${messageOf(error)}`, { cause: error });
  });

/** Works where `--on` says, with a manifest that the command line has changed. */
const performedOn = async (
  file: string,
  text: string,
  options: CompareOptions,
  work: (ground: Ground) => Promise<void>,
): Promise<void> => {
  const { preset, policies, policy, repetitions, epochs, seed, set, on } = options;
  const changes: ManifestChanges = {
    ...(preset === undefined ? {} : { preset }),
    ...(policies === undefined ? {} : { policies }),
    ...(policy === undefined ? {} : { policy }),
    ...(repetitions === undefined ? {} : { repetitions }),
    ...(epochs === undefined ? {} : { epochs }),
    ...(seed === undefined ? {} : { seed }),
    ...(set === undefined ? {} : { set }),
  };
  if (on === "simulator") {
    const read = (more: ManifestChanges) => experimentOf(text, file, { ...changes, ...more }).experiment;
    return work({
      seed: read({}).seed,
      progress: new ProgressLine(),
      perform: async (more) => simulated(sweepPlan(read(more), await commitOfCode()), options.format),
    });
  }
  const load = (more: ManifestChanges): LoadedManifest => labManifest(changedText(text, { ...changes, ...more }), file);
  const loaded = load({});
  const onGround: Work = (perform, progress, interrupted) =>
    work({
      seed: loaded.manifest.seed,
      progress,
      perform: async (more) => ofRun(await perform(load(more).text), options, progress, interrupted),
    });
  const places = { ...options, policy: [...(policies ?? []), ...(policy ?? [])] };
  if (on === "rehearsal") return rehearsed(loaded, { ...places, dashboardPort: 0 }, onGround);
  return onLab(loaded, places, onGround);
};

const simulated = async (plan: ReturnType<typeof sweepPlan>, format: Format): Promise<Performed> => {
  if (plan.points.length > 1) {
    throw new Failure(
      "config/invalid",
      `${plan.name}: \`loop\`: one world is compared at a time; use \`offload sweep\``,
    );
  }
  const sums = await simulatedHere(plan);
  // A repetition of several epochs is one trial all the same.
  return {
    pairs: sums,
    isComplete: true,
    async print(lines, more) {
      const { text, data } = simulatedReport(plan, sums);
      printResult(format, exitCodes.ok, [text, ...lines].join("\n"), { ...data, ...more });
    },
  };
};

const ofRun = async (
  run: RunView,
  options: CompareOptions,
  progress: ProgressLine,
  interrupted: () => boolean,
): Promise<Performed> => {
  const { pairs } = await runReport(run.folder);
  return {
    pairs,
    isComplete: run.state === "complete",
    print: (lines, data) => printRun(options, run, interrupted(), progress, { lines, data }),
  };
};
