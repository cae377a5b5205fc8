import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { onnxEngine } from "@offloadlab/learning";
import { type Settings, settingsFromFile, settingsToFile } from "@offloadlab/model";
import { Failure, messageOf } from "@offloadlab/protocol";
import { writeDurably } from "@offloadlab/records";
import { decodeTraining, encodeTraining, Training, type TrainingSettings } from "@offloadlab/simulation";

/**
 * The files of a training's folder:
 *
 * - `training.json`: what is trained, in which world, from which seed, by which code
 * - `checkpoint.safetensors`: everything that the training needs to go on, of the last checkpoint or of its end
 * - `curves.csv`: how each community did after each epoch; `rounds.csv`: the rounds of the federation
 */
export const trainingFiles = {
  plan: "training.json",
  checkpoint: "checkpoint.safetensors",
  curves: "curves.csv",
  rounds: "rounds.csv",
} as const;

/** What is trained. */
export interface TrainingPlan {
  readonly world: Settings;
  readonly settings: TrainingSettings;
  readonly seed: number;
  /** Of the code: another one would go on to other bytes. */
  readonly commit: string;
}

const formatVersion = 1;

const planText = ({ world, settings, seed, commit }: TrainingPlan): string =>
  `${JSON.stringify({ format: formatVersion, seed, commit, settings, world: settingsToFile(world) }, null, 1)}\n`;

/**
 * Begins the training of a plan in a folder, or goes on with it where it was stopped.
 *
 * @throws Failure `config/invalid` when the folder holds another training
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
    const { format, seed, commit, settings, world } = JSON.parse(text) as {
      format: number;
      world: unknown;
    } & Omit<TrainingPlan, "world">;
    if (format !== formatVersion) throw new SyntaxError(`expected format ${formatVersion}, got ${format}`);
    const plan = { seed, commit, settings, world: settingsFromFile(world) };
    return { training: await restored(folder, plan), plan };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("archive/damaged", `${file}: ${messageOf(error)}`, { cause: error });
  }
};

const restored = async (folder: string, { world, settings, seed }: TrainingPlan): Promise<Training> => {
  const training = new Training(world, settings, onnxEngine, seed);
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
  const file = join(folder, trainingFiles.checkpoint);
  const part = await open(`${file}.part`, "w");
  await part.writeFile(encodeTraining(training.snapshot()));
  await part.sync();
  await part.close();
  await rename(`${file}.part`, file);
  await writeDurably(join(folder, trainingFiles.curves), curvesText(training));
  await writeDurably(join(folder, trainingFiles.rounds), roundsText(training));
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
