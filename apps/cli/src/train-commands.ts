import { readFile } from "node:fs/promises";
import { tfjsModule } from "@offloadlab/learning";
import { Failure, messageOf } from "@offloadlab/protocol";
import { readMeasuredWorld, settingsOf, trainingChoice } from "@offloadlab/records";
import { type Method, methods, type Training } from "@offloadlab/simulation";
import { exitCodes } from "./exit-codes.ts";
import { experimentOf, type ManifestChanges } from "./experiment-source.ts";
import { type Format, minutes, ProgressLine, printResult } from "./output.ts";
import { roundsText, summaryOfRounds } from "./rounds-report.ts";
import { commitOfCode } from "./sweep-commands.ts";
import { beginTraining, type EngineName, savePolicies, saveTraining, type TrainingPlan } from "./training-folder.ts";

export interface TrainOptions extends Pick<ManifestChanges, "preset" | "set"> {
  readonly method: Method;
  readonly networks: "set" | "flat";
  readonly hyperparameters: "recommended" | "paper";
  /** `<name>=<value>`, of a manifest's `training.readings`. */
  readonly reading?: readonly string[];
  readonly epochs: number;
  readonly seed: number;
  readonly engine: EngineName;
  /** File of `offload calibrate`, or an archive's settings.json, instead of a preset. */
  readonly settings?: string;
  readonly out: string;
  readonly format: Format;
}

export const readingsHelp =
  "actor_turns=updates|epochs, ranking=relative|raw, picks=distinct|repeated or targets=kept|restarted";

/** After so many epochs a checkpoint: a training that is killed repeats fewer. */
const checkpointEvery = 5;

/** `offload train`: trains the agents of all communities; goes on where it was stopped. */
export const train = async (options: TrainOptions): Promise<void> => {
  const { preset = "paper", method, hyperparameters, epochs, seed, engine, out, format } = options;
  const plan: TrainingPlan = {
    preset,
    ...(await worldOf(options)),
    hyperparameters,
    settings: settingsOf(method, choiceOf(options)),
    seed,
    engine,
    engineModule: moduleOf(engine),
    commit: await commitOfCode(),
  };
  const training = await beginTraining(out, plan);
  const progress = new ProgressLine();
  if (training.epoch > 0) progress.done(`${out}: goes on after epoch ${training.epoch} of ${epochs}`);
  const begun = { epoch: training.epoch, time: performance.now() };
  while (training.epoch < epochs) {
    await training.runEpoch();
    if (training.epoch % checkpointEvery === 0 || training.epoch === epochs) await saveTraining(out, training);
    const perEpoch = (performance.now() - begun.time) / 1000 / (training.epoch - begun.epoch);
    const left = minutes(perEpoch * (epochs - training.epoch));
    progress.update(
      "training",
      `${method}, epoch ${training.epoch} of ${epochs}: ${lastEpoch(training)}; ${left} left`,
    );
  }
  const policies = await savePolicies(out, training, plan);
  progress.done(`${method}: ${epochs} epochs, ${lastEpoch(training)}`);
  const { records, rounds } = training;
  const names = plan.world.communities.map(({ name }) => name);
  const federation = rounds.length === 0 ? undefined : summaryOfRounds(names, [rounds]);
  const text = [
    `${out}: ${method} after ${epochs} epochs of ${plan.settings.randomEpochs} random ones; curves.csv has every epoch`,
    `  before the first update: ${epochText(training, 0)}`,
    `  after the last: ${epochText(training, epochs)}`,
    `  policies: ${policies.join(", ")}, each with its card`,
    ...(federation === undefined ? [] : [`  ${rounds.length} rounds of its federation; rounds.csv has every one`]),
    ...(federation === undefined ? [] : [roundsText(federation)]),
    `\`offload evaluate ${out}\` tells what it has learned`,
  ].join("\n");
  await training.close();
  printResult(format, exitCodes.ok, text, { folder: out, epochs, policies, records, rounds, federation });
};

const federated: readonly Method[] = ["mcf-td3", "pfr-oa"];
/** The methods in which a reading changes something. */
const readersOf = new Map<string, readonly Method[]>([
  ["actor_turns", ["td3", ...federated]],
  ["ranking", ["pfr-oa"]],
  ["picks", federated],
  ["targets", federated],
]);

/** @throws Failure `config/invalid` when there is no such reading, or the method does not read there */
const choiceOf = ({ method, epochs, networks, hyperparameters, reading = [] }: TrainOptions) => {
  const readings = Object.fromEntries(reading.map((entry) => entry.split("=")));
  const unread = Object.keys(readings).filter((name) => !(readersOf.get(name) ?? methods).includes(method));
  if (unread.length > 0) {
    throw new Failure(
      "config/invalid",
      `--reading: ${method} has no use for ${unread.join(", ")}: nothing would change`,
    );
  }
  const choice = trainingChoice({ epochs, networks, hyperparameters, readings });
  if (choice !== undefined) return choice;
  throw new Failure("config/invalid", `--reading: expected ${readingsHelp}, got ${reading.join(" ")}`);
};

/** @throws Failure `config/invalid` when the engine is not installed */
const moduleOf = (engine: EngineName): string => {
  try {
    return engine === "tfjs" ? tfjsModule() : "onnxruntime-node";
  } catch (error) {
    throw new Failure("config/invalid", messageOf(error), { cause: error });
  }
};

/** The world of a settings file, or of a preset and what the command line changes of it. */
const worldOf = async ({
  preset = "paper",
  set = [],
  settings,
}: Pick<TrainOptions, "preset" | "set" | "settings">): Promise<Pick<TrainingPlan, "world" | "latencies">> => {
  if (settings !== undefined) return measuredWorld(settings, set);
  const text = "name: train\npreset: paper\npolicies: [fair]\nrepetitions: 1\nseed: 0\n";
  const { experiment } = experimentOf(text, "command line", { preset, set });
  const [point] = experiment.points;
  if (point === undefined) throw new Failure("config/invalid", "expected one world to train in, got none");
  return { world: point.settings };
};

/** @throws Failure `config/invalid` when the file holds no settings, or `--set` is to change them */
const measuredWorld = async (
  file: string,
  set: readonly string[],
): Promise<Pick<TrainingPlan, "world" | "latencies">> => {
  if (set.length > 0)
    throw new Failure("config/invalid", "--set changes a preset; change the file of --settings itself");
  try {
    const { settings: world, latencies } = readMeasuredWorld(await readFile(file, "utf8"));
    return { world, latencies };
  } catch (error) {
    throw new Failure("config/invalid", `${file}: expected settings: ${messageOf(error)}`, { cause: error });
  }
};

const lastEpoch = (training: Training): string => epochText(training, training.epoch);

/** How the communities did in an epoch. */
const epochText = ({ records }: Training, epoch: number): string =>
  records
    .filter((record) => record.epoch === epoch)
    .map(({ community, successRatio }) => `${community} ${successRatio.toFixed(3)}`)
    .join(", ");
