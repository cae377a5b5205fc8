import { onnxEngine } from "@offloadlab/learning";
import { randomStream, settingsFromFile, settingsToFile } from "@offloadlab/model";
import {
  Community,
  type ComparedName,
  comparedNames,
  type Method,
  policyFor,
  runEpoch,
  Training,
  trainingSettings,
} from "@offloadlab/simulation";
import type { Contestant, Experiment, Point, TrainingChoice } from "./experiment.ts";
import type { EpochSums } from "./sweep-rows.ts";

/** One policy at one point, for all epochs of one repetition: what one process simulates. */
export interface SweepTrial {
  /** From 1. */
  readonly number: number;
  /** Index of its point. */
  readonly point: number;
  readonly policy: Contestant;
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
  readonly training: TrainingChoice;
  readonly points: readonly Point[];
  readonly trials: readonly SweepTrial[];
}

const formatVersion = 1;

/** The trials of an experiment: every policy at every point, repetition by repetition. */
export const sweepPlan = (experiment: Experiment, commit: string): SweepPlan => {
  const { name, seed, epochs, training, points, policies, repetitions } = experiment;
  const trials: SweepTrial[] = [];
  for (const point of points.keys()) {
    for (const policy of policies) {
      for (let repetition = 1; repetition <= repetitions; repetition++) {
        const trialSeed = randomStream(seed, "repetition", repetition).integer(2 ** 32);
        trials.push({ number: trials.length + 1, point, policy, repetition, seed: trialSeed });
      }
    }
  }
  return { name, commit, seed, epochs, training, points, trials };
};

/** What the arrivals of an epoch are drawn from; epochs count from 1. */
export const epochSeed = (trialSeed: number, epoch: number): number =>
  randomStream(trialSeed, "epoch", epoch).integer(2 ** 32);

/**
 * Simulates a trial: a method is trained first, on arrivals that its evaluation does not see.
 *
 * @param onEpoch is told how many epochs are done of all, training included, and may throw to end the trial
 * @returns an entry for each epoch of the evaluation and community
 */
export const simulateTrial = async (
  plan: SweepPlan,
  trial: SweepTrial,
  onEpoch: (done: number, all: number) => void | Promise<void> = () => {},
): Promise<EpochSums[]> => {
  const point = plan.points[trial.point];
  if (point === undefined) throw new RangeError(`Expected a point below ${plan.points.length}, got ${trial.point}`);
  const training = isLearned(trial.policy) ? trainingFor(plan.training, trial.policy, point, trial.seed) : undefined;
  const trainingEpochs = training === undefined ? 0 : plan.training.epochs;
  const all = trainingEpochs + plan.epochs;
  try {
    while (training !== undefined && training.epoch < trainingEpochs) {
      await training.runEpoch();
      await onEpoch(training.epoch, all);
    }
    const worlds = training?.policies() ?? worldsOf(trial.policy as ComparedName, point, trial.seed);
    const sums: EpochSums[] = [];
    for (let epoch = 1; epoch <= plan.epochs; epoch++) {
      const seed = epochSeed(trial.seed, epoch);
      for (const { community, policy } of worlds) {
        const totals = runEpoch(community, policy, seed);
        const { number, policy: name, repetition } = trial;
        const { variables } = point;
        const { name: communityName } = community.communitySettings;
        sums.push({
          trial: number,
          policy: name,
          repetition,
          variables,
          community: communityName,
          epoch,
          seed,
          ...totals,
        });
      }
      await onEpoch(trainingEpochs + epoch, all);
    }
    return sums;
  } finally {
    await training?.close();
  }
};

const isLearned = (policy: Contestant): policy is Method => !(comparedNames as readonly string[]).includes(policy);

const trainingFor = (choice: TrainingChoice, method: Method, { settings }: Point, seed: number): Training =>
  new Training(settings, trainingSettings(method, choice), onnxEngine, seed);

const worldsOf = (policy: ComparedName, { settings }: Point, seed: number) =>
  settings.communities.map((_, index) => {
    const community = new Community(settings, index, seed);
    return { community, policy: policyFor(policy, community) };
  });

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
  const { name, commit, seed, epochs, training, trials } = plan;
  const points = plan.points.map(({ variables, settings }) => ({
    variables,
    settings: settingsFromFile(settings),
  }));
  return { name, commit, seed, epochs, training, points, trials };
};
