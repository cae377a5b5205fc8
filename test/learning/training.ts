import type { Agent } from "@offloadlab/learning";
import { randomStream } from "@offloadlab/model";
import type { Environment } from "@offloadlab/simulation";

/** A world with one agent, and how a learner is shown it. */
export interface Task {
  readonly environment: Environment<Float64Array, ArrayLike<number>>;
  /** What each number of an observation is divided by. */
  readonly observationScale: readonly number[];
  /** What a reward is multiplied by for the learner, so that values are of the order of 1 to 100. */
  readonly rewardScale: number;
}

export interface TrainingPlan {
  readonly steps: number;
  /** Steps at the start that are taken at random. */
  readonly randomSteps: number;
  /** Updates come in batches: after every so many steps, */
  readonly updateEvery: number;
  /** as many as this. */
  readonly updates: number;
}

/** Trains for so many steps, episode after episode. */
export const train = async (
  agent: Agent,
  { environment, observationScale, rewardScale }: Task,
  { steps, randomSteps, updateEvery, updates }: TrainingPlan,
  seed: number,
): Promise<void> => {
  const state = new Float32Array(observationScale.length);
  const next = new Float32Array(observationScale.length);
  const action = new Float32Array(1);
  let episode = 0;
  let isOver = true;
  for (let stepIndex = 0; stepIndex < steps; stepIndex++) {
    if (isOver) {
      episode++;
      agent.beginEpoch(episode);
      environment.reset(randomStream(seed, "training", episode).integer(2 ** 32));
      scaled(environment.observation, observationScale, state);
    }
    if (stepIndex < randomSteps) agent.actRandomly(action);
    else agent.explore(state, action);
    const { reward, terminated, truncated } = environment.step(action);
    scaled(environment.observation, observationScale, next);
    agent.store({ state, action, reward: Float32Array.of(reward * rewardScale), next, terminated });
    state.set(next);
    isOver = terminated || truncated;
    if (stepIndex < randomSteps || stepIndex % updateEvery !== 0) continue;
    for (let update = 0; update < updates; update++) await agent.update();
  }
};

/** Mean of what an agent earns in so many episodes without exploration, none of which training saw. */
export const meanReturn = (
  agent: Agent,
  { environment, observationScale }: Task,
  episodes: number,
  seed: number,
): number => {
  const state = new Float32Array(observationScale.length);
  const action = new Float32Array(1);
  let total = 0;
  for (let episode = 0; episode < episodes; episode++) {
    environment.reset(randomStream(seed, "evaluation", episode).integer(2 ** 32));
    for (let isOver = false; !isOver; ) {
      scaled(environment.observation, observationScale, state);
      agent.act(state, action);
      const { reward, terminated, truncated } = environment.step(action);
      total += reward;
      isOver = terminated || truncated;
    }
  }
  return total / episodes;
};

const scaled = (observation: Float64Array, scale: readonly number[], state: Float32Array): void => {
  for (let i = 0; i < state.length; i++) state[i] = (observation[i] as number) / (scale[i] as number);
};
