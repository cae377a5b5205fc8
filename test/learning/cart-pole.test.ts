import { Dqn, onnxEngine } from "@offloadlab/learning";
import { test } from "vitest";
import { CartPole } from "./cart-pole.ts";
import { expectReturns } from "./gate.ts";

// Published after 50,000 steps: 500 (RL Baselines3 Zoo's benchmark, CartPole-v1).

// Rewards of 0.02 keep values at 2 and below, and errors where Huber's loss is a square: with larger ones, the few errors
// that a fall makes were clipped, and policies forgot it.
const task = { environment: new CartPole(), observationScale: [1, 1, 0.2, 1], rewardScale: 0.02 };
const plan = { steps: 50_000, randomSteps: 1_000, updateEvery: 1, updates: 1 };
const shape = { rows: 1, features: 4, actions: 1, values: 1 };
/**
 * Everything is remembered, the target follows slowly, and the learning rate ends at a twentieth: with one that stays, a
 * policy that balances is soon another one that does not, and the last one counts.
 */
const settings = {
  hidden: 64,
  pooled: false,
  discount: 0.99,
  learningRate: 1e-3,
  learningRateEnd: 0.05,
  learningRateSteps: 49_000,
  targetShare: 0.005,
  updateTargetEvery: 1,
  batchSize: 64,
  bufferCapacity: 50_000,
  choices: [[-1], [1]],
  double: true,
  explorationStart: 1,
  explorationEnd: 0.05,
  explorationSteps: 8_000,
};

test("DQN balances the pole: at least 475 on 4 of 5 seeds", async () => {
  const open = (seed: number) => new Dqn(onnxEngine, shape, settings, seed);
  await expectReturns("DQN, CartPole", task, plan, open, 475);
});
