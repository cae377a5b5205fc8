import { devicesOf, type Settings } from "@offloadlab/model";
import { type Latencies, noLatencies } from "@offloadlab/simulation";
import type { RunContents } from "../check.ts";
import { canBeRepeated, type Deployed } from "../laboratory-policy.ts";
import { learnedLive } from "../learning-gain.ts";
import { byFame } from "../results.ts";
import type { Trial } from "../schedule.ts";
import { type CauseRow, causeRows } from "./cause-rows.ts";
import { type CommunityCourse, startsAlike, type TaskCourse } from "./course.ts";
import { type Divergence, divergencesOf } from "./divergences.ts";
import { type Gap, gapsOf } from "./gaps.ts";
import { type LaboratoryCourse, laboratoryCourse } from "./laboratory.ts";
import { type MeasuredLatencies, measuredLatencies, medianLatencies } from "./measured-latencies.ts";
import { simulatedCourse } from "./simulator.ts";

/** A run in the laboratory, and the same trials in the simulator. */
export interface Replay {
  /** Policies that went on learning in the laboratory: the simulator has them as they were deployed. */
  readonly learnedLive: readonly string[];
  /** Devices whose uplink was to have another rate than the theory's, by how much: the simulator has the theory's. */
  readonly uplinkRateRatios: Readonly<Record<string, number>>;
  /** Whether leases were corrected by what uploads took: the simulator's are the theory's. */
  readonly isCorrected: boolean;
  readonly latencies: MeasuredLatencies;
  /** Of the trials that came to their end. */
  readonly policies: readonly PolicyReplay[];
  /** Endpoints, whose answers nobody can ask for again: their trials are left out. */
  readonly notRepeated: readonly string[];
}

export interface PolicyReplay {
  readonly policy: string;
  readonly trials: number;
  readonly tasks: number;
  readonly gaps: readonly Gap[];
  readonly causes: readonly CauseRow[];
  /** Tasks that differ in where or when they were started, or in their outcome. */
  readonly differing: number;
  /** The same, once the simulator has the laboratory's latencies. */
  readonly differingWithLatencies: number;
  /** Those that differ for a cause of their own, with their trials. */
  readonly firsts: readonly (Divergence & { readonly trial: number })[];
}

/** A trial in all worlds, its communities one after the other. */
interface ReplayedTrial {
  readonly trial: Trial;
  readonly laboratory: readonly TaskCourse[];
  readonly simulator: readonly TaskCourse[];
  readonly withLatencies: readonly TaskCourse[];
  readonly divergences: readonly Divergence[];
}

/**
 * Repeats the trials of a run in the simulator, with the tasks that the devices journalled; says how far both are apart,
 * and why. Then repeats them with what the laboratory's tasks took beyond the theory, in the median.
 */
export const replayRun = async (run: RunContents): Promise<Replay> => {
  const { settings, journals, deviceSeed, laboratory } = run;
  const trials = run.trials.filter(({ policy }) => canBeRepeated(policy, run));
  const lived = settings.communities.map((_, index) =>
    trials.map(({ number }) => laboratoryCourse(settings, index, journals, number)),
  );
  const devices = settings.communities.map((_, index) => devicesOf(settings, index, deviceSeed));
  const latencies = measuredLatencies(settings, devices, lived);
  const median = medianLatencies(latencies);
  const replayed: ReplayedTrial[] = [];
  for (const [index, trial] of trials.entries()) {
    const courses = lived.map((each) => each[index] as LaboratoryCourse);
    replayed.push(await replayedTrial(settings, deviceSeed, trial, courses, median, run));
  }
  return {
    learnedLive: learnedLive(journals),
    uplinkRateRatios: laboratory.uplinkRateRatios,
    isCorrected: laboratory.link === "corrected",
    latencies,
    policies: byFame([...new Set(trials.map(({ policy }) => policy))]).flatMap((policy) => {
      const own = replayed.filter(({ trial }) => trial.policy === policy);
      return own.length === 0 ? [] : [policyReplay(policy, own)];
    }),
    notRepeated: [...new Set(run.trials.map(({ policy }) => policy))].filter((policy) => !canBeRepeated(policy, run)),
  };
};

const replayedTrial = async (
  settings: Settings,
  deviceSeed: number,
  trial: Trial,
  lived: readonly LaboratoryCourse[],
  median: Latencies,
  deployed: Deployed,
): Promise<ReplayedTrial> => {
  const simulated = (latencies: Latencies): Promise<CommunityCourse[]> =>
    Promise.all(
      lived.map(({ generated }, index) =>
        simulatedCourse(settings, index, deviceSeed, trial, generated, latencies, deployed),
      ),
    );
  const simulator = await simulated(noLatencies);
  const subSlotSeconds = settings.timeSlot / settings.subSlotsPerTimeSlot;
  const tasksOf = (courses: readonly CommunityCourse[]) => courses.flatMap(({ tasks }) => tasks.flat());
  return {
    trial,
    laboratory: tasksOf(lived),
    simulator: tasksOf(simulator),
    withLatencies: tasksOf(await simulated(median)),
    divergences: lived.flatMap((laboratory, index) =>
      divergencesOf({ laboratory, simulator: simulator[index] as CommunityCourse, subSlotSeconds }),
    ),
  };
};

const policyReplay = (policy: string, trials: readonly ReplayedTrial[]): PolicyReplay => {
  const differing = (simulated: (trial: ReplayedTrial) => readonly TaskCourse[]): number =>
    trials.reduce((sum, trial) => {
      const theory = simulated(trial);
      return sum + trial.laboratory.filter((task, index) => differs(task, theory[index] as TaskCourse)).length;
    }, 0);
  return {
    policy,
    trials: trials.length,
    tasks: trials.reduce((sum, { laboratory }) => sum + laboratory.length, 0),
    gaps: gapsOf(trials),
    causes: causeRows(trials.map(({ divergences }) => divergences)),
    differing: differing(({ simulator }) => simulator),
    differingWithLatencies: differing(({ withLatencies }) => withLatencies),
    firsts: trials.flatMap(({ trial, divergences }) =>
      divergences.filter(({ isFirst }) => isFirst).map((first) => ({ trial: trial.number, ...first })),
    ),
  };
};

const differs = (one: TaskCourse, other: TaskCourse): boolean =>
  !startsAlike(one, other) || one.outcome !== other.outcome;
