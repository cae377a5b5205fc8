import { isAddress, isPolicySource } from "@offloadlab/deployed";
import { nodeIds, type Settings } from "@offloadlab/model";
import { type Method, methods } from "@offloadlab/simulation";
import type { TrainedPolicy } from "./contestants.ts";
import { type Experiment, type ManifestProblems, readExperiment } from "./experiment.ts";
import type { LaboratoryChoice } from "./laboratory-keys.ts";
import type { TrainingChoice } from "./training-choice.ts";

/** An experiment for the laboratory: which policies are compared, in which world, how often. */
export interface Manifest extends LaboratoryChoice {
  readonly name: string;
  readonly settings: Settings;
  /** Names of all that are compared. */
  readonly policies: readonly string[];
  /** Those of them whose agents the simulator trains before the run. */
  readonly methods: readonly Method[];
  /** Those of them whose agents somebody has trained. */
  readonly trained: readonly TrainedPolicy[];
  readonly training: TrainingChoice;
  readonly repetitions: number;
  readonly seed: number;
  readonly clockSpeed: number;
}

/** Those of a manifest's policies that are agents: they are deployed to the servers, and can go on learning there. */
export const learnedNames = (manifest: Pick<Manifest, "methods" | "trained">): readonly string[] => [
  ...manifest.methods,
  ...manifest.trained.map(({ name }) => name),
];

/** Those of a manifest's policies that come from outside as ONNX models: their files go to the servers as well. */
export const shippedNames = ({ policies }: Pick<Manifest, "policies">): readonly string[] =>
  policies.filter((name) => isPolicySource(name) && !isAddress(name));

/**
 * Reads a manifest for the laboratory, rehearsed or real.
 *
 * @param file its name, for the problems
 */
export const readManifest = (text: string, file: string): Manifest | ManifestProblems => {
  const experiment = readExperiment(text, file);
  if ("problems" in experiment) return experiment;
  const problems = impossibleInLab(experiment);
  const [point] = experiment.points;
  if (problems.length > 0 || point === undefined) return { problems: problems.map((what) => `${file}: ${what}`) };
  const { name, names, policies, trained, repetitions, seed, clockSpeed, laboratory } = experiment;
  return {
    name,
    settings: point.settings,
    policies: names,
    methods: methods.filter((method) => (policies as readonly string[]).includes(method)),
    trained,
    training: point.training,
    repetitions,
    seed,
    clockSpeed,
    ...laboratory,
  };
};

/** What of an experiment only a simulator can do. */
const impossibleInLab = ({ points, policies, epochs, laboratory }: Experiment): string[] => {
  const devices = new Set(points.flatMap(({ settings }) => nodeIds(settings).filter((id) => id.startsWith("ed-"))));
  const strangers = Object.keys(laboratory.uplinkRateRatios).filter((name) => !devices.has(name));
  return [
    ...(points.length > 1
      ? ["`loop` is for the simulator: give each world of the laboratory a manifest of its own"]
      : []),
    ...(epochs > 1 ? [`\`epochs\` is for the simulator: a trial of the laboratory is one epoch, got ${epochs}`] : []),
    ...policies.filter((name) => name === "oracle").map((name) => `\`policies\`: ${name} runs in the simulator only`),
    ...strangers.map((name) => `\`uplink_rate_ratio\`: ${name} is no device of these communities`),
    ...(points.some(({ settings }) => settings.readings.shares === "reused")
      ? ["`settings.readings.shares` must be kept: a laboratory has its bandwidth and compute but once"]
      : []),
  ];
};
