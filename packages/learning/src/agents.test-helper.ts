import { randomStream } from "@offloadlab/model";
import type { Agent } from "./agent.ts";
import { offloadingChoices } from "./choices.ts";
import { Ddpg, type DdpgSettings, ddpgDefaults } from "./ddpg.ts";
import { Dqn, type DqnSettings, dqnDefaults } from "./dqn.ts";
import { onnxEngine } from "./graph/onnx-engine.ts";
import type { Rows } from "./network.ts";
import { Td3, type Td3Settings, td3Defaults } from "./td3.ts";

/** A community of five devices, a row each. */
export const setShape: Rows = { rows: 5, features: 4, actions: 3, values: 1 };
/** A community of two devices in one row. */
export const flatShape: Rows = { rows: 1, features: 7, actions: 6, values: 2 };

/** Small enough that an update takes a moment. */
const small = { hidden: 8, batchSize: 4, bufferCapacity: 64 };

export const openTd3 = (shape: Rows, settings: Partial<Td3Settings> = {}, seed = 1, drawsSeed = seed): Td3 =>
  new Td3(onnxEngine, shape, { ...td3Defaults, ...small, pooled: shape.rows > 1, ...settings }, seed, drawsSeed);

export const openDdpg = (shape: Rows, settings: Partial<DdpgSettings> = {}, seed = 1, drawsSeed = seed): Ddpg =>
  new Ddpg(onnxEngine, shape, { ...ddpgDefaults, ...small, pooled: shape.rows > 1, ...settings }, seed, drawsSeed);

export const openDqn = (shape: Rows, settings: Partial<DqnSettings> = {}, seed = 1, drawsSeed = seed): Dqn =>
  new Dqn(
    onnxEngine,
    shape,
    { ...dqnDefaults, choices: offloadingChoices(3), ...small, pooled: shape.rows > 1, ...settings },
    seed,
    drawsSeed,
  );

/** What all learners are given. */
type SomeSettings = Partial<Td3Settings & DdpgSettings & DqnSettings>;
export const learners: readonly {
  readonly name: string;
  readonly open: (shape: Rows, settings?: SomeSettings, seed?: number, drawsSeed?: number) => Agent;
}[] = [
  { name: "TD3", open: openTd3 },
  { name: "DDPG", open: openDdpg },
  { name: "DQN", open: openDqn },
];

/** Numbers between −1 and 1, the same for the same labels. */
export const numbers = (size: number, ...labels: readonly (string | number)[]): Float32Array => {
  const random = randomStream(0, ...labels);
  return Float32Array.from({ length: size }, () => random.uniform(-1, 1));
};

export interface EpochPlan {
  readonly steps?: number;
  /** From which step on it learns. */
  readonly learnsFrom?: number;
  readonly terminated?: boolean;
}

/** Lives through an epoch of a world that answers with numbers of that epoch. */
export const liveEpoch = async (
  agent: Agent,
  epoch: number,
  { steps = 20, learnsFrom = 5, terminated = false }: EpochPlan = {},
): Promise<void> => {
  const { rows, features, actions, values } = agent.shape;
  const action = new Float32Array(rows * actions);
  agent.beginEpoch(epoch);
  for (let step = 0; step < steps; step++) {
    const state = numbers(rows * features, "state", epoch, step);
    if (epoch === 1 && step < learnsFrom) agent.actRandomly(action);
    else agent.explore(state, action);
    const next = numbers(rows * features, "state", epoch, step + 1);
    agent.store({ state, action, reward: numbers(rows * values, "reward", epoch, step), next, terminated });
    if (step >= learnsFrom) await agent.update();
  }
};
