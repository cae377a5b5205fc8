import { createHash } from "node:crypto";
import { dirname, join, resolve } from "node:path";
import { onnxEngine } from "@offloadlab/learning";
import { Failure, messageOf } from "@offloadlab/protocol";
import { type Manifest, settingsOf } from "@offloadlab/records";
import {
  type Deployment,
  deployedAgent,
  deploymentOf,
  encodeDeployment,
  type Method,
  type Training,
} from "@offloadlab/simulation";
import { type ProgressLine, seconds } from "./output.ts";
import { commitOfCode } from "./sweep-commands.ts";
import {
  beginTraining,
  openTraining,
  planText,
  saveTraining,
  type TrainingPlan,
  trainingOf,
} from "./training-folder.ts";

/** Where a manifest is, and where this machine keeps what it has trained. */
export interface AgentPlaces {
  /** The manifest's file: folders of trainings are relative to it. */
  readonly manifestFile: string;
  readonly home: string;
}

/**
 * The agents of a manifest's learned policies, as files: trainings that somebody has made are read, methods are trained in
 * the simulator on the manifest's own world, once.
 *
 * @throws Failure `config/invalid` when a training is missing, or made for other communities
 */
export const agentFiles = async (
  manifest: Manifest,
  { manifestFile, home }: AgentPlaces,
  progress: ProgressLine,
  signal?: AbortSignal,
): Promise<Map<string, Uint8Array>> => {
  const files = new Map<string, Uint8Array>();
  for (const { name, folder } of manifest.trained) {
    const place = resolve(dirname(manifestFile), folder);
    const { training } = await openTraining(place);
    files.set(name, encoded(manifest, deploymentOf(training), place));
    await training.close();
  }
  for (const method of manifest.methods) {
    const training = await trained(manifest, method, home, progress, signal);
    files.set(method, encoded(manifest, deploymentOf(training), method));
    await training.close();
  }
  return files;
};

/** @throws Failure `config/invalid` when the agents do not fit the manifest's communities */
const encoded = ({ settings }: Manifest, deployment: Deployment, what: string): Uint8Array => {
  try {
    for (const index of settings.communities.keys()) deployedAgent(deployment, onnxEngine, settings, index);
  } catch (error) {
    throw new Failure("config/invalid", `${what}: its agents do not fit these communities: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return encodeDeployment(deployment);
};

/** Trains a method, or goes on where that was stopped; random networks where learning is to begin from scratch. */
const trained = async (
  manifest: Manifest,
  method: Method,
  home: string,
  progress: ProgressLine,
  signal: AbortSignal | undefined,
): Promise<Training> => {
  const { settings: world, seed, training: choice, learning } = manifest;
  const settings = settingsOf(method, choice);
  if (learning?.from === "scratch") return trainingOf({ world, settings, engine: "onnx", seed });
  const { hyperparameters } = choice;
  const engine = { engine: "onnx", engineModule: "onnxruntime-node" } as const;
  const plan: TrainingPlan = {
    preset: world.name,
    ...{ world, hyperparameters, settings, seed, ...engine },
    commit: await commitOfCode(),
  };
  const digest = createHash("sha256").update(planText(plan)).digest("hex").slice(0, 12);
  const folder = join(home, "trained", `${method}-${digest}`);
  const training = await beginTraining(folder, plan);
  const known = training.epoch;
  const started = performance.now();
  while (training.epoch < choice.epochs) {
    signal?.throwIfAborted();
    await training.runEpoch();
    const perEpoch = (performance.now() - started) / 1000 / (training.epoch - known);
    const left = seconds(perEpoch * (choice.epochs - training.epoch));
    progress.update(
      `training ${method}`,
      `training ${method} in the simulator: epoch ${training.epoch} of ${choice.epochs}, success ${successOf(training)}; ${left} left`,
    );
  }
  if (known < choice.epochs) await saveTraining(folder, training);
  const how =
    known === choice.epochs ? "as trained before" : `trained in ${seconds((performance.now() - started) / 1000)}`;
  progress.done(`${method}: ${choice.epochs} epochs in the simulator, ${how}; success ${successOf(training)}`);
  return training;
};

/** Mean success of the communities in the last epoch's evaluation. */
const successOf = ({ records, epoch }: Training): string => {
  const last = records.filter((record) => record.epoch === epoch).map(({ successRatio }) => successRatio);
  return (last.reduce((sum, ratio) => sum + ratio, 0) / Math.max(last.length, 1)).toFixed(3);
};
