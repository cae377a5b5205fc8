import { basename } from "node:path";
import { Failure } from "@offloadlab/protocol";
import { type EpochSums, epochSeed, sweepRows, sweepTable } from "@offloadlab/records";
import {
  Community,
  type ComparedName,
  type Method,
  policyFor,
  runEpoch,
  type Training,
  trainingSettings,
} from "@offloadlab/simulation";
import { exitCodes } from "./exit-codes.ts";
import { experimentOf, type ManifestChanges } from "./experiment-source.ts";
import { type Format, minutes, ProgressLine, printResult } from "./output.ts";
import { commitOfCode } from "./sweep-commands.ts";
import { beginTraining, openTraining, saveTraining, type TrainingPlan } from "./training-folder.ts";

export interface TrainOptions extends Pick<ManifestChanges, "preset" | "set"> {
  readonly method: Method;
  readonly networks: "set" | "flat";
  readonly hyperparameters: "recommended" | "paper";
  readonly epochs: number;
  readonly seed: number;
  readonly out: string;
  readonly format: Format;
}

/** After so many epochs a checkpoint: a training that is killed repeats fewer. */
const checkpointEvery = 5;

/** `offload train`: trains the agents of all communities; goes on where it was stopped. */
export const train = async (options: TrainOptions): Promise<void> => {
  const { method, networks, hyperparameters, epochs, seed, out, format } = options;
  const plan: TrainingPlan = {
    world: worldOf(options),
    settings: trainingSettings(method, { epochs, networks, hyperparameters }),
    seed,
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
  progress.done(`${method}: ${epochs} epochs, ${lastEpoch(training)}`);
  const text = [
    `${out}: ${method} after ${epochs} epochs of ${plan.settings.randomEpochs} random ones; curves.csv has every epoch`,
    `  before the first update: ${epochText(training, 0)}`,
    `  after the last: ${epochText(training, epochs)}`,
    `\`offload evaluate ${out}\` tells what it has learned`,
  ].join("\n");
  const { records, rounds } = training;
  await training.close();
  printResult(format, exitCodes.ok, text, { folder: out, epochs, records, rounds });
};

const worldOf = ({ preset = "paper", set = [] }: Pick<ManifestChanges, "preset" | "set">): TrainingPlan["world"] => {
  const text = "name: train\npreset: paper\npolicies: [fair]\nrepetitions: 1\nseed: 0\n";
  const { experiment } = experimentOf(text, "command line", { preset, set });
  const [point] = experiment.points;
  if (point === undefined) throw new Failure("config/invalid", "expected one world to train in, got none");
  return point.settings;
};

const lastEpoch = (training: Training): string => epochText(training, training.epoch);

/** How the communities did in an epoch. */
const epochText = ({ records }: Training, epoch: number): string =>
  records
    .filter((record) => record.epoch === epoch)
    .map(({ community, successRatio }) => `${community} ${successRatio.toFixed(3)}`)
    .join(", ");

export interface EvaluateOptions {
  readonly policies?: readonly string[];
  readonly epochs: number;
  readonly seed: number;
  readonly format: Format;
}

/** `offload evaluate` and `offload compare`: trained agents, and policies beside them, over the same arrivals. */
export const evaluate = async (folders: readonly string[], options: EvaluateOptions): Promise<void> => {
  const { policies = [], epochs, seed, format } = options;
  const opened = await Promise.all(folders.map(async (folder) => ({ folder, ...(await openTraining(folder)) })));
  const names = opened.map(({ plan }) => plan.settings.method as string);
  const progress = new ProgressLine();
  const sums: EpochSums[] = [];
  let trials = 0;
  for (const [index, { folder, training, plan }] of opened.entries()) {
    // Two trainings of one method are told apart by their folders.
    const label =
      names.filter((name) => name === names[index]).length > 1 ? basename(folder) : (names[index] as string);
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const arrivals = epochSeed(seed, epoch);
      trials += 1;
      for (const { community, policy } of training.policies()) {
        sums.push(entry(trials, label, epoch, arrivals, community, runEpoch(community, policy, arrivals)));
      }
      progress.update("evaluating", `${label}: epoch ${epoch} of ${epochs}`);
    }
    await training.close();
    if (index > 0) continue;
    for (const name of policies) {
      const communities = plan.world.communities.map((_, i) => {
        const community = new Community(plan.world, i, plan.seed);
        return { community, policy: policyFor(name as ComparedName, community) };
      });
      for (let epoch = 1; epoch <= epochs; epoch++) {
        const arrivals = epochSeed(seed, epoch);
        trials += 1;
        for (const { community, policy } of communities) {
          sums.push(entry(trials, name, epoch, arrivals, community, runEpoch(community, policy, arrivals)));
        }
      }
    }
  }
  const rows = sweepRows(sums);
  const [first] = opened;
  const provenance = { sweep: folders.join(" "), commit: first?.plan.commit ?? "", seed, trials };
  printResult(format, exitCodes.ok, sweepTable(rows, provenance).trimEnd(), { rows });
};

const entry = (
  trial: number,
  policy: string,
  repetition: number,
  seed: number,
  community: Community,
  totals: ReturnType<typeof runEpoch>,
): EpochSums => ({
  trial,
  policy,
  repetition,
  variables: {},
  community: community.communitySettings.name,
  epoch: 1,
  seed,
  ...totals,
});
