import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { cardPathOf, modelFile } from "@offloadlab/deployed";
import { type Engine, onnxEngine, tfjsEngine } from "@offloadlab/learning";
import { type Settings, settingsFromFile, settingsToFile } from "@offloadlab/model";
import { Failure, messageOf } from "@offloadlab/protocol";
import { writeDurably } from "@offloadlab/records";
import {
  decodeTraining,
  encodeTraining,
  type Latencies,
  Training,
  type TrainingSettings,
} from "@offloadlab/simulation";
import { trainedPolicies } from "./trained-policies.ts";

/**
 * The files of a training's folder:
 *
 * - `training.json`: what is trained, in which world, from which seed, by which code
 * - `checkpoint.safetensors`: everything that the training needs to go on, of the last checkpoint or of its end
 * - `curves.csv`: how each community did after each epoch; `rounds.csv`: the rounds of the federation
 * - `policies/<community>.onnx` and `.card.json`: what it has learned, once it has ended
 */
export const trainingFiles = {
  plan: "training.json",
  checkpoint: "checkpoint.safetensors",
  curves: "curves.csv",
  rounds: "rounds.csv",
  policies: "policies",
} as const;

/** What the learners compute with. */
export const engineNames = ["onnx", "tfjs"] as const;
export type EngineName = (typeof engineNames)[number];
const engines: Readonly<Record<EngineName, Engine>> = { onnx: onnxEngine, tfjs: tfjsEngine };

/** What is trained. */
export interface TrainingPlan {
  readonly preset: string;
  readonly world: Settings;
  /** What tasks take beyond the world's theory, where that was measured. */
  readonly latencies?: Latencies;
  readonly hyperparameters: "recommended" | "paper";
  readonly settings: TrainingSettings;
  readonly seed: number;
  readonly engine: EngineName;
  /** What the engine is: TensorFlow.js has two, whose numbers differ in their last digits. */
  readonly engineModule: string;
  /** Of the code: another one would go on to other bytes. */
  readonly commit: string;
}

const formatVersion = 2;

/** A plan as its file has it. */
export const planText = ({ world, ...plan }: TrainingPlan): string =>
  `${JSON.stringify({ format: formatVersion, ...plan, world: settingsToFile(world) }, null, 1)}\n`;

/**
 * Begins the training of a plan in a folder, or goes on with it where it was stopped.
 *
 * @throws Failure `config/invalid` when the folder holds another training, or communities cannot be trained so
 */
export const beginTraining = async (folder: string, plan: TrainingPlan): Promise<Training> => {
  await mkdir(folder, { recursive: true });
  const text = planText(plan);
  const found = await readFile(join(folder, trainingFiles.plan), "utf8").catch(() => undefined);
  if (found === undefined) await writeDurably(join(folder, trainingFiles.plan), text);
  else if (found !== text) {
    throw new Failure(
      "config/invalid",
      `${folder} holds another training (${trainingFiles.plan}): give this one a folder of its own, or remove that one`,
    );
  }
  return restored(folder, plan);
};

/**
 * Opens the training in a folder as its last checkpoint has it.
 *
 * @throws Failure `config/invalid` when there is none, `archive/damaged` when it cannot be read
 */
export const openTraining = async (folder: string): Promise<{ training: Training; plan: TrainingPlan }> => {
  const file = join(folder, trainingFiles.plan);
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new Failure("config/invalid", `expected the folder of a training, got ${folder}: ${messageOf(error)}`, {
      cause: error,
    });
  });
  try {
    const { format, world, ...rest } = JSON.parse(text) as {
      format: number;
      world: unknown;
    } & Omit<TrainingPlan, "world">;
    if (format !== formatVersion) throw new SyntaxError(`expected format ${formatVersion}, got ${format}`);
    const plan = { ...rest, world: settingsFromFile(world) };
    return { training: await restored(folder, plan), plan };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("archive/damaged", `${file}: ${messageOf(error)}`, { cause: error });
  }
};

/** A training before its first epoch. @throws Failure `config/invalid` when communities cannot be trained so */
export const trainingOf = (
  plan: Pick<TrainingPlan, "world" | "latencies" | "settings" | "seed" | "engine">,
): Training => {
  try {
    return new Training(plan.world, plan.settings, engines[plan.engine], plan.seed, plan.latencies);
  } catch (error) {
    if (error instanceof RangeError) throw new Failure("config/invalid", messageOf(error), { cause: error });
    throw error;
  }
};

const restored = async (
  folder: string,
  { world, latencies, settings, seed, engine }: TrainingPlan,
): Promise<Training> => {
  const training = trainingOf({ world, settings, engine, seed, ...(latencies && { latencies }) });
  const file = join(folder, trainingFiles.checkpoint);
  const bytes = await readFile(file).catch(() => undefined);
  if (bytes === undefined) return training;
  try {
    training.restore(decodeTraining(bytes));
  } catch (error) {
    throw new Failure("archive/damaged", `${file}: ${messageOf(error)}; remove it, and the training begins anew`, {
      cause: error,
    });
  }
  return training;
};

/** Writes a checkpoint, whole or not at all, and the curves so far. */
export const saveTraining = async (folder: string, training: Training): Promise<void> => {
  await writeDurably(join(folder, trainingFiles.checkpoint), encodeTraining(training.snapshot()));
  await writeDurably(join(folder, trainingFiles.curves), curvesText(training));
  await writeDurably(join(folder, trainingFiles.rounds), roundsText(training));
};

/** Writes what a training has learned: a model with its card for each community. Returns the models' files. */
export const savePolicies = async (folder: string, training: Training, plan: TrainingPlan): Promise<string[]> => {
  const policies = join(folder, trainingFiles.policies);
  await mkdir(policies, { recursive: true });
  const written: string[] = [];
  for (const { community, model, card } of trainedPolicies(training, plan)) {
    const file = modelFile(policies, community);
    await writeDurably(file, model);
    await writeDurably(cardPathOf(file), card);
    written.push(file);
  }
  return written;
};

const curvesText = ({ records }: Training): string => {
  const networks = [...new Set(records.flatMap(({ losses }) => Object.keys(losses)))];
  const lines = records.map(({ epoch, community, successRatio, energyJoules, waitingSeconds, reward, losses }) =>
    [
      epoch,
      community,
      successRatio,
      energyJoules,
      waitingSeconds,
      reward,
      ...networks.map((name) => losses[name] ?? ""),
    ].join(),
  );
  const columns = ["epoch", "community", "success_ratio", "energy_joules", "waiting_seconds", "reward_per_epoch"];
  return `${[[...columns, ...networks.map((name) => `${name}_loss`)].join(), ...lines].join("\n")}\n`;
};

const roundsText = ({ rounds }: Training): string => {
  const networks = Object.keys(rounds[0]?.proximalWeights[0] ?? {});
  const lines = rounds.flatMap(({ round, epoch, participants, proximalWeights }) =>
    proximalWeights.map((weights, community) =>
      [
        round,
        epoch,
        community + 1,
        participants.includes(community) ? 1 : 0,
        ...networks.map((name) => weights[name] ?? ""),
      ].join(),
    ),
  );
  const columns = ["round", "epoch", "community", "is_participant", ...networks.map((name) => `${name}_lambda`)];
  return `${[columns.join(), ...lines].join("\n")}\n`;
};
