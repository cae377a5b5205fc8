import { type Agent, Ddpg, ddpgDefaults, onnxEngine, Td3, td3Defaults } from "@offloadlab/learning";
import { checkEnvironment, type Environment } from "@offloadlab/simulation";
import { expect, test } from "vitest";
import { CartPole } from "./cart-pole.ts";
import { Pendulum } from "./pendulum.ts";
import { meanReturn, type Task, train } from "./training.ts";

// The numbers that others publish for these tasks: a learner that misses them has a mistake.
const seeds = [1, 2, 3, 4, 5];
const episodes = 100;

const pendulum = (): Task => ({ environment: new Pendulum(), observationScale: [1, 1, 8], rewardScale: 0.1 });

const common = { pooled: false, hidden: 64, discount: 0.99, learningRate: 1e-3, targetShare: 0.005, batchSize: 64 };
const continuous = { ...common, bufferCapacity: 20_000, actionNoise: 0.1, noiseClip: 0.5, randomActionProbability: 0 };
const shapeOf = (features: number) => ({ rows: 1, features, actions: 1, values: 1 });

test.each([
  ["Pendulum", new Pendulum(), 200],
  ["CartPole", new CartPole(), 500],
] as const)(
  "%s keeps the contract of an environment",
  (_, environment: Environment<Float64Array, ArrayLike<number>>, longestEpisode) => {
    const problems = checkEnvironment(environment, {
      observationNumbers: (observation) => [...observation],
      actionNumbers: (action) => Array.from(action),
      drawAction: (_observation, random) => Float64Array.of(random.uniform(-1, 1)),
      longestEpisode,
    });
    expect(problems).toEqual([]);
  },
);

/** Trains an agent of each seed; returns their mean returns, which are printed. */
const returnsOf = async (name: string, task: () => Task, open: (seed: number) => Agent): Promise<number[]> => {
  const returns: number[] = [];
  for (const seed of seeds) {
    const agent = open(seed);
    await train(agent, task(), { steps: 20_000, randomSteps: 1_000, updateEvery: 1, updates: 1 }, seed);
    returns.push(meanReturn(agent, task(), episodes, seed));
    await agent.close();
  }
  console.log(`${name}: mean returns ${returns.map((value) => value.toFixed(1)).join(", ")}`);
  return returns;
};

test("TD3 swings the pendulum up: at least -200 on 4 of 5 seeds after 20,000 steps", async () => {
  const returns = await returnsOf(
    "TD3, Pendulum",
    pendulum,
    (seed) => new Td3(onnxEngine, shapeOf(3), { ...td3Defaults, ...continuous }, seed),
  );
  expect(returns.filter((value) => value >= -200).length).toBeGreaterThanOrEqual(4);
});

test("DDPG swings the pendulum up: at least -200 on 4 of 5 seeds after 20,000 steps", async () => {
  const returns = await returnsOf(
    "DDPG, Pendulum",
    pendulum,
    (seed) => new Ddpg(onnxEngine, shapeOf(3), { ...ddpgDefaults, ...continuous }, seed),
  );
  expect(returns.filter((value) => value >= -200).length).toBeGreaterThanOrEqual(4);
});
