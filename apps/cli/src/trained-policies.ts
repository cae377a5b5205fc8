import { createHash } from "node:crypto";
import { type PolicyFiles, policyFiles } from "@offloadlab/deployed";
import { isSuccess, outcomes, settingsToFile } from "@offloadlab/model";
import type { Policy } from "@offloadlab/policies";
import { epochSeed } from "@offloadlab/records";
import { type Community, type EpochTotals, runEpoch, type Training } from "@offloadlab/simulation";
import type { TrainingPlan } from "./training-folder.ts";
import { version } from "./version.ts";

/** What `offload evaluate` does unless it is told otherwise: no training sees these arrivals. */
export const usualEvaluation = { epochs: 30, seed: 9 } as const;

/** A trained policy of one community as files. */
interface TrainedPolicy extends PolicyFiles {
  readonly community: string;
}

/** What a training has learned so far, with how good it is: the same training gives the same bytes. */
export const trainedPolicies = (training: Training, plan: TrainingPlan): TrainedPolicy[] => {
  const { world, preset, hyperparameters, settings, seed, engine, engineModule, commit } = plan;
  const { method, networks, values, randomEpochs, updatesPerSubSlot, federation } = settings;
  const settingsText = JSON.stringify(settingsToFile(world));
  return training.policies().map(({ community, policy }, index) => {
    const { name } = community.communitySettings;
    const agent = training.agents[index] as Training["agents"][number];
    const files = policyFiles(agent.actor, networks, world, index, {
      method,
      community: name,
      preset,
      settings_sha256: createHash("sha256").update(settingsText).digest("hex"),
      observation: world.readings.observation,
      networks,
      values,
      hyperparameters,
      agent: snakeCased(agent.settings),
      federation: federation === undefined ? null : snakeCased(federation),
      seed,
      epochs: training.epoch,
      random_epochs: randomEpochs,
      updates_per_sub_slot: updatesPerSubSlot,
      evaluation: evaluation(community, policy),
      software: { name: "offloadlab", version, commit, engine, engine_module: engineModule },
    });
    return { community: name, ...files };
  });
};

/** How a policy does on arrivals that no training sees. */
const evaluation = (community: Community, policy: Policy) => {
  const seeds = Array.from({ length: usualEvaluation.epochs }, (_, i) => epochSeed(usualEvaluation.seed, i + 1));
  const totals = seeds.map((seed) => runEpoch(community, policy, seed));
  const sum = (of: (totals: EpochTotals) => number): number => totals.reduce((all, each) => all + of(each), 0);
  const tasks = sum((each) => each.tasks);
  const successes = sum((each) => outcomes.filter(isSuccess).reduce((all, name) => all + each.outcomes[name], 0));
  return {
    epochs: usualEvaluation.epochs,
    seed: usualEvaluation.seed,
    arrivals_seeds: seeds,
    tasks,
    success_ratio: successes / tasks,
    energy_per_task_joules: sum(({ energyJoules }) => energyJoules) / tasks,
    waiting_per_task_seconds: sum(({ waitingSeconds }) => waitingSeconds) / tasks,
    reward_per_epoch: sum(({ reward }) => reward) / totals.length,
  };
};

/** Settings as files say them. */
const snakeCased = (value: unknown): unknown =>
  typeof value !== "object" || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(
        Object.entries(value).map(([key, each]) => [
          key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
          snakeCased(each),
        ]),
      );
