import { randomStream, type Settings, settingsFromFile, settingsToFile } from "@offloadlab/model";
import { Community, type ComparedName, policyFor, runEpoch } from "@offloadlab/simulation";
import type { Experiment, Point } from "./experiment.ts";
import type { EpochSums } from "./sweep-rows.ts";

/** One policy at one point, for all epochs of one repetition: what one process simulates. */
export interface SweepTrial {
  /** From 1. */
  readonly number: number;
  /** Index of its point. */
  readonly point: number;
  readonly policy: ComparedName;
  /** From 1. */
  readonly repetition: number;
  /** Of the devices and the epochs: the same for all trials of a repetition. */
  readonly seed: number;
}

/** A sweep as a plan: every trial with all that it needs. */
export interface SweepPlan {
  readonly name: string;
  /** Of the code that plans it; trials of other code are another sweep's. */
  readonly commit: string;
  readonly seed: number;
  readonly epochs: number;
  readonly points: readonly Point[];
  readonly trials: readonly SweepTrial[];
}

const formatVersion = 1;

/** The trials of an experiment: every policy at every point, repetition by repetition. */
export const sweepPlan = (experiment: Experiment, commit: string): SweepPlan => {
  const { name, seed, epochs, points, policies, repetitions } = experiment;
  const trials: SweepTrial[] = [];
  for (const point of points.keys()) {
    for (const policy of policies) {
      for (let repetition = 1; repetition <= repetitions; repetition++) {
        const trialSeed = randomStream(seed, "repetition", repetition).integer(2 ** 32);
        trials.push({ number: trials.length + 1, point, policy, repetition, seed: trialSeed });
      }
    }
  }
  return { name, commit, seed, epochs, points, trials };
};

/** What the arrivals of an epoch are drawn from; epochs count from 1. */
export const epochSeed = (trialSeed: number, epoch: number): number =>
  randomStream(trialSeed, "epoch", epoch).integer(2 ** 32);

/**
 * Simulates a trial.
 *
 * @param onEpoch is told how many epochs are done, and may throw to end the trial
 * @returns an entry for each epoch and community
 */
export const simulateTrial = async (
  plan: SweepPlan,
  trial: SweepTrial,
  onEpoch: (done: number) => void | Promise<void> = () => {},
): Promise<EpochSums[]> => {
  const point = plan.points[trial.point];
  if (point === undefined) throw new RangeError(`Expected a point below ${plan.points.length}, got ${trial.point}`);
  const worlds = point.settings.communities.map(({ name }, index) => {
    const community = new Community(point.settings, index, trial.seed);
    return { name, community, policy: policyFor(trial.policy, community) };
  });
  const sums: EpochSums[] = [];
  for (let epoch = 1; epoch <= plan.epochs; epoch++) {
    const seed = epochSeed(trial.seed, epoch);
    for (const { name, community, policy } of worlds) {
      const totals = runEpoch(community, policy, seed);
      sums.push({
        trial: trial.number,
        policy: trial.policy,
        repetition: trial.repetition,
        variables: point.variables,
        community: name,
        epoch,
        seed,
        ...totals,
      });
    }
    await onEpoch(epoch);
  }
  return sums;
};

/** A plan as JSON. */
export const planText = (plan: SweepPlan): string => {
  const points = plan.points.map(({ variables, settings }) => ({ variables, settings: settingsToFile(settings) }));
  return `${JSON.stringify({ format: formatVersion, ...plan, points })}\n`;
};

/**
 * Reads what `planText` wrote.
 *
 * @throws SyntaxError or SettingsError when it is something else
 */
export const planFromText = (text: string): SweepPlan => {
  const plan = JSON.parse(text) as Omit<SweepPlan, "points"> & {
    format: number;
    points: { variables: Point["variables"]; settings: unknown }[];
  };
  if (plan.format !== formatVersion)
    throw new SyntaxError(`expected a plan of format ${formatVersion}, got ${plan.format}`);
  const { name, commit, seed, epochs, trials } = plan;
  const points = plan.points.map(({ variables, settings }) => ({
    variables,
    settings: settingsFromFile(settings) satisfies Settings,
  }));
  return { name, commit, seed, epochs, points, trials };
};
