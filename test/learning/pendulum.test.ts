import { Ddpg, onnxEngine, Td3 } from "@offloadlab/learning";
import { test } from "vitest";
import { expectReturns } from "./gate.ts";
import { Pendulum } from "./pendulum.ts";

// Published after 20,000 steps: TD3 -151.9, DDPG -152.1 (RL Baselines3 Zoo's benchmark, Pendulum-v1).

const task = { environment: new Pendulum(), observationScale: [1, 1, 8], rewardScale: 0.1 };
const plan = { steps: 20_000, randomSteps: 1_000, updateEvery: 1, updates: 1 };
const shape = { rows: 1, features: 3, actions: 1, values: 1 };
/** TD3's own settings, but for narrower networks, smaller batches, and a learning rate as tasks this short want it. */
const settings = {
  hidden: 64,
  pooled: false,
  discount: 0.99,
  learningRate: 1e-3,
  targetShare: 0.005,
  batchSize: 64,
  bufferCapacity: 20_000,
  actionNoise: 0.1,
  noiseClip: 0.5,
  randomActionProbability: 0,
  saturationPenalty: 0,
};

test("TD3 swings the pendulum up: at least -200 on 4 of 5 seeds", async () => {
  const open = (seed: number) =>
    new Td3(onnxEngine, shape, { ...settings, updateActorEvery: 2, actorTurns: "updates", targetNoise: 0.2 }, seed);
  await expectReturns("TD3, Pendulum", task, plan, open, -200);
});

test("DDPG swings the pendulum up: at least -200 on 4 of 5 seeds", async () => {
  const open = (seed: number) => new Ddpg(onnxEngine, shape, settings, seed);
  await expectReturns("DDPG, Pendulum", task, plan, open, -200);
});
