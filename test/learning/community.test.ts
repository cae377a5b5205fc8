import { onnxEngine } from "@offloadlab/learning";
import { paper, randomStream } from "@offloadlab/model";
import { runEpoch, successRatio, Training, trainingSettings } from "@offloadlab/simulation";
import { expect, test } from "vitest";

/** 4 random epochs, then 30 of 80 sub-slots with an update each: 2,400 updates in each community. */
const epochs = 34;
const seeds = [1, 2];
const enough = 0.97;
const evaluations = 10;

/** Of the tasks of all communities, in epochs that no training saw. */
const successOf = (training: Training): number => {
  let tasks = 0;
  let successes = 0;
  for (const { community, policy } of training.policies()) {
    for (let epoch = 1; epoch <= evaluations; epoch++) {
      const totals = runEpoch(community, policy, randomStream(training.seed, "gate", epoch).integer(2 ** 32));
      tasks += totals.tasks;
      successes += successRatio(totals) * totals.tasks;
    }
  }
  return successes / tasks;
};

test(`PFR-OA learns to offload in the paper's communities: at least ${enough} of all tasks, and on each seed more than before`, async () => {
  const settings = trainingSettings("pfr-oa", { epochs, networks: "set", hyperparameters: "recommended" });
  const learned: number[] = [];
  for (const seed of seeds) {
    const training = new Training(paper, settings, onnxEngine, seed);
    const before = successOf(training);
    while (training.epoch < epochs) await training.runEpoch();
    const after = successOf(training);
    await training.close();
    console.log(
      `PFR-OA, preset paper, seed ${seed}: ${before.toFixed(3)} before the first update, ${after.toFixed(3)} after`,
    );
    expect(after).toBeGreaterThan(before);
    learned.push(after);
  }
  expect(learned.reduce((sum, success) => sum + success, 0) / learned.length).toBeGreaterThanOrEqual(enough);
});
