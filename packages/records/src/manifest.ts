import type { Settings } from "@offloadlab/model";
import { type PolicyName, policyNames } from "@offloadlab/policies";
import { type Experiment, type ManifestProblems, readExperiment } from "./experiment.ts";

/** An experiment for the laboratory: which policies are compared, in which world, how often. */
export interface Manifest {
  readonly name: string;
  readonly settings: Settings;
  readonly policies: readonly PolicyName[];
  readonly repetitions: number;
  readonly seed: number;
  readonly clockSpeed: number;
}

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
  const { name, repetitions, seed, clockSpeed } = experiment;
  return {
    name,
    settings: point.settings,
    policies: experiment.policies as readonly PolicyName[],
    repetitions,
    seed,
    clockSpeed,
  };
};

/** What of an experiment only a simulator can do. */
const impossibleInLab = ({ points, policies, epochs }: Experiment): string[] => {
  const onlyHere = policies.filter((name) => !(policyNames as readonly string[]).includes(name));
  return [
    ...(points.length > 1
      ? ["`loop` is for the simulator: give each world of the laboratory a manifest of its own"]
      : []),
    ...(epochs > 1 ? [`\`epochs\` is for the simulator: a trial of the laboratory is one epoch, got ${epochs}`] : []),
    ...onlyHere.map((name) => `\`policies\`: ${name} runs in the simulator only`),
    ...(points.some(({ settings }) => settings.readings.shares === "reused")
      ? ["`settings.readings.shares` must be kept: a laboratory has its bandwidth and compute but once"]
      : []),
  ];
};
