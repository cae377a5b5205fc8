import { randomStream } from "@offloadlab/model";
import { describe, expect, test } from "vitest";
import type { Agent } from "./agent.ts";
import { flatShape, numbers, setShape } from "./agents.test-helper.ts";
import { Ddpg, ddpgDefaults } from "./ddpg.ts";
import { Dqn, dqnDefaults } from "./dqn.ts";
import { onnxEngine } from "./graph/onnx-engine.ts";
import type { Engine } from "./graph/program.ts";
import { tfjsEngine } from "./graph/tfjs-engine.ts";
import type { Rows } from "./network.ts";
import { Td3, td3Defaults } from "./td3.ts";

// Two engines that share nothing but the expressions: TensorFlow.js derives the gradients itself.

const updates = 50;
const small = { learningRate: 1e-3, hidden: 16, batchSize: 8, bufferCapacity: 64 };

const learners: Readonly<Record<string, (engine: Engine, shape: Rows) => Agent>> = {
  "TD3 with its proximal term": (engine, shape) => {
    const agent = new Td3(engine, shape, { ...td3Defaults, ...small, pooled: shape.rows > 1 }, 1);
    const globalWeights = Object.entries(agent.weights).map(([name, { length }]) => [name, numbers(length, name)]);
    agent.proximal = {
      lambdas: { critic1: 0.3, critic2: 0.1, actor: 0.2 },
      weights: Object.fromEntries(globalWeights),
    };
    return agent;
  },
  TD3: (engine, shape) => new Td3(engine, shape, { ...td3Defaults, ...small, pooled: shape.rows > 1 }, 1),
  DDPG: (engine, shape) => new Ddpg(engine, shape, { ...ddpgDefaults, ...small, pooled: shape.rows > 1 }, 1),
  DQN: (engine, shape) => new Dqn(engine, shape, { ...dqnDefaults, ...small, pooled: shape.rows > 1 }, 1),
};

/** What the networks of an agent are. */
const parametersOf = (agent: Agent): Readonly<Record<string, Float32Array>> => {
  const { buffer: _, ...parameters } = agent.snapshot().arrays;
  return parameters;
};

/** What they are after its updates, on transitions that are the same for every engine. */
const learned = async (agent: Agent): Promise<Readonly<Record<string, Float32Array>>> => {
  const { rows, features, actions, values } = agent.shape;
  agent.beginEpoch(1);
  for (let step = 0; step < small.bufferCapacity; step++) {
    const action = new Float32Array(rows * actions);
    agent.actRandomly(action);
    agent.store({
      state: numbers(rows * features, "state", step),
      action,
      reward: numbers(rows * values, "reward", step),
      next: numbers(rows * features, "state", step + 1),
      terminated: randomStream(0, "end", step).uniform() < 0.1,
    });
  }
  for (let update = 0; update < updates; update++) await agent.update();
  await agent.close();
  return parametersOf(agent);
};

/** The largest difference of two arrays, over the largest number in them. */
const relativeDifference = (a: Float32Array, b: Float32Array): number => {
  expect(b).toHaveLength(a.length);
  const differences = a.map((value, i) => Math.abs(value - (b[i] as number)));
  return Math.max(...differences) / Math.max(...a.map(Math.abs));
};

describe.each(Object.entries(learners))("%s", (_, open) => {
  test.each(Object.entries({ set: setShape, flat: flatShape }))(
    "50 updates of %s networks end in the same parameters in both engines, to 1e-4 of the largest in each array",
    { timeout: 60_000 },
    async (_kind, shape) => {
      const initial = parametersOf(open(onnxEngine, shape));
      const [onnx, tfjs] = await Promise.all([learned(open(onnxEngine, shape)), learned(open(tfjsEngine, shape))]);
      expect(Object.keys(tfjs)).toEqual(Object.keys(onnx));
      for (const [name, values] of Object.entries(onnx)) {
        expect(relativeDifference(values, tfjs[name] as Float32Array), name).toBeLessThan(1e-4);
        // They have gone a way on which they could have parted.
        expect(relativeDifference(values, initial[name] as Float32Array), name).toBeGreaterThan(1e-2);
      }
    },
  );
});
