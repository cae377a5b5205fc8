import { openPolicy, PolicyProblem, type PolicySource, policySource } from "@offloadlab/deployed";
import { type AgentWeights, onnxEngine } from "@offloadlab/learning";
import { randomStream, type Settings, settingsFromFile, settingsToFile } from "@offloadlab/model";
import type { OpenPolicy, Policy } from "@offloadlab/policies";
import {
  Community,
  type ComparedName,
  type Method,
  methods,
  policyFor,
  type RoundRecord,
  runOpenEpoch,
  Training,
  type TrainingRecord,
  type TrainingSettings,
} from "@offloadlab/simulation";
import { answersBetween, answersSoFar } from "./answers.ts";
import type { Contestant } from "./contestants.ts";
import type { Experiment, Point } from "./experiment.ts";
import type { EpochSums } from "./sweep-rows.ts";
import { settingsOf } from "./training-choice.ts";

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
  readonly points: readonly Point[];
  /** Policies from outside, as they were when the sweep was planned. */
  readonly sources: readonly PolicySource[];
  readonly trials: readonly SweepTrial[];
}

const formatVersion = 3;

/** The trials of an experiment: every policy at every point, repetition by repetition. */
export const sweepPlan = (experiment: Experiment, commit: string): SweepPlan => {
  const { name, seed, epochs, points, policies, sources, repetitions } = experiment;
  const trials: SweepTrial[] = [];
  for (const point of points.keys()) {
    for (const policy of policies) {
      for (let repetition = 1; repetition <= repetitions; repetition++) {
        const trialSeed = randomStream(seed, "repetition", repetition).integer(2 ** 32);
        trials.push({ number: trials.length + 1, point, policy, repetition, seed: trialSeed });
      }
    }
  }
  return { name, commit, seed, epochs, points, sources, trials };
};

/** What the arrivals of an epoch are drawn from; epochs count from 1. */
export const epochSeed = (trialSeed: number, epoch: number): number =>
  randomStream(trialSeed, "epoch", epoch).integer(2 ** 32);

/** What a training has come to. */
export interface Trained {
  /** [m] */
  readonly weights: readonly AgentWeights[];
  /** How each community did after each epoch. */
  readonly records: readonly TrainingRecord[];
  readonly rounds: readonly RoundRecord[];
  /** Of one processor, on whichever machine it was. */
  readonly processorSeconds: number;
}

/**
 * Trains a method.
 *
 * @param onEpoch is told how many epochs are done, and may throw to end the training
 */
export type Trainer = (
  world: Settings,
  settings: TrainingSettings,
  seed: number,
  onEpoch: (done: number) => void | Promise<void>,
) => Promise<Trained>;

/** Trains in this process, and leaves nothing on disk. */
export const trainHere: Trainer = async (world, settings, seed, onEpoch) => {
  const before = process.cpuUsage();
  const training = new Training(world, settings, onnxEngine, seed);
  try {
    while (training.epoch < settings.epochs) {
      await training.runEpoch();
      await onEpoch(training.epoch);
    }
    const { user, system } = process.cpuUsage(before);
    return {
      weights: training.agents.map(({ weights }) => weights),
      records: [...training.records],
      rounds: [...training.rounds],
      processorSeconds: (user + system) / 1e6,
    };
  } finally {
    await training.close();
  }
};

/** What a trial has given: an entry for each epoch of the evaluation and community, and how the method learned. */
export interface TrialResult {
  readonly sums: readonly EpochSums[];
  /** Undefined for policies that need no training. */
  readonly trained: Trained | undefined;
}

/**
 * Simulates a trial: a method is trained first, on arrivals that its evaluation does not see.
 *
 * @param onEpoch is told how many epochs are done of all, training included, and may throw to end the trial
 */
export const simulateTrial = async (
  plan: SweepPlan,
  trial: SweepTrial,
  onEpoch: (done: number, all: number) => void | Promise<void> = () => {},
  train: Trainer = trainHere,
): Promise<TrialResult> => {
  const { policy, seed } = trial;
  const point = plan.points[trial.point];
  if (point === undefined) throw new RangeError(`Expected a point below ${plan.points.length}, got ${trial.point}`);
  const source = plan.sources.find(({ name }) => name === policy);
  if (source !== undefined) {
    const worlds = await openedWorlds(source, point, seed);
    try {
      return { sums: await evaluated(plan, trial, worlds, (done) => onEpoch(done, plan.epochs)), trained: undefined };
    } finally {
      for (const { policy: opened } of worlds) await opened.close();
    }
  }
  if (!isLearned(policy)) {
    const worlds = worldsOf(policy as ComparedName, point, seed);
    return { sums: await evaluated(plan, trial, worlds, (done) => onEpoch(done, plan.epochs)), trained: undefined };
  }
  const settings = settingsOf(policy, point.training);
  const all = settings.epochs + plan.epochs;
  const trained = await train(point.trainedIn ?? point.settings, settings, seed, (done) => onEpoch(done, all));
  const agents = new Training(point.settings, settings, onnxEngine, seed);
  try {
    for (const [index, agent] of agents.agents.entries()) agent.weights = trained.weights[index] as AgentWeights;
    const sums = await evaluated(plan, trial, agents.policies(), (done) => onEpoch(settings.epochs + done, all));
    return { sums, trained };
  } finally {
    await agents.close();
  }
};

const evaluated = async (
  plan: SweepPlan,
  trial: SweepTrial,
  worlds: readonly { readonly community: Community; readonly policy: Policy | OpenPolicy }[],
  onEpoch: (done: number) => void | Promise<void>,
): Promise<EpochSums[]> => {
  const { number, policy: name, repetition } = trial;
  const { variables } = plan.points[trial.point] as Point;
  const sums: EpochSums[] = [];
  for (let epoch = 1; epoch <= plan.epochs; epoch++) {
    const seed = epochSeed(trial.seed, epoch);
    for (const { community, policy } of worlds) {
      const before = "answers" in policy ? answersSoFar(policy.answers) : undefined;
      const totals = await runOpenEpoch(community, policy, seed);
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
        ...("answers" in policy && before !== undefined ? { answers: answersBetween(before, policy.answers) } : {}),
      });
    }
    await onEpoch(epoch);
  }
  return sums;
};

/** Whether a method has to be trained before it can be evaluated. */
export const isLearned = (policy: Contestant): policy is Method => (methods as readonly string[]).includes(policy);

const worldsOf = (policy: ComparedName, { settings }: Point, seed: number) =>
  settings.communities.map((_, index) => {
    const community = new Community(settings, index, seed);
    return { community, policy: policyFor(policy, community) };
  });

/** @throws PolicyProblem when a policy cannot be used, or is no more what it was when the sweep was planned */
const openedWorlds = async ({ name, location, sha256 }: PolicySource, { settings }: Point, seed: number) => {
  if (policySource(location, "/").sha256 !== sha256) {
    throw new PolicyProblem(`${name} has changed since the sweep was planned: begin another sweep with it`);
  }
  const communities = settings.communities.map((_, index) => new Community(settings, index, seed));
  const opened: { community: Community; policy: OpenPolicy }[] = [];
  for (const [index, community] of communities.entries()) {
    opened.push({ community, policy: await openPolicy(location, settings, index, community.devices) });
  }
  return opened;
};

/** A plan as JSON. */
export const planText = (plan: SweepPlan): string => {
  const points = plan.points.map(({ settings, trainedIn, ...others }) => ({
    ...others,
    settings: settingsToFile(settings),
    ...(trainedIn === undefined ? {} : { trainedIn: settingsToFile(trainedIn) }),
  }));
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
    points: (Omit<Point, "settings" | "trainedIn"> & { settings: unknown; trainedIn?: unknown })[];
  };
  if (plan.format !== formatVersion)
    throw new SyntaxError(`expected a plan of format ${formatVersion}, got ${plan.format}`);
  const { name, commit, seed, epochs, sources, trials } = plan;
  const points = plan.points.map(({ settings, trainedIn, ...others }) => ({
    ...others,
    settings: settingsFromFile(settings),
    ...(trainedIn === undefined ? {} : { trainedIn: settingsFromFile(trainedIn) }),
  }));
  return { name, commit, seed, epochs, points, sources, trials };
};
