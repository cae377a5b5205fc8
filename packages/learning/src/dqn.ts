import { type RandomStream, randomStream } from "@offloadlab/model";
import type { Actor } from "./actor.ts";
import type { Agent, AgentSnapshot, AgentWeights, Losses, Proximal } from "./agent.ts";
import { restoreFrom, snapshotOf } from "./agent-snapshot.ts";
import { batchInput } from "./batch.ts";
import { type Choices, indexOfLargest, nearestChoice, offloadingChoices, writeChoice } from "./choices.ts";
import {
  add,
  atMost,
  clip,
  constant,
  divide,
  type Expression,
  gradients,
  largest,
  mean,
  multiply,
  reshape,
  stopGradient,
  subtract,
  sum,
} from "./graph/expression.ts";
import { flattened, layoutSize, weightsIn } from "./graph/parameters.ts";
import type { Engine } from "./graph/program.ts";
import { Forward, initialWeights, type NetworkShape, network, networkLayout, type Rows } from "./network.ts";
import { Programs } from "./programs.ts";
import { refuseProximal } from "./proximal.ts";
import { ReplayBuffer, type Transition, transitionWidth } from "./replay-buffer.ts";
import { checkSettings, counts, type LearnerSettings, shares } from "./settings.ts";
import { descended, followed, trainedInput, trainedOutputs } from "./trained.ts";
import { TrainedNetworks } from "./trained-networks.ts";

export interface DqnSettings extends LearnerSettings {
  /** What every head chooses from, at least 2. */
  readonly choices: Choices;
  /**
   * Whether the trained network chooses the next action and the target only values it, as in van Hasselt et al., Deep
   * reinforcement learning with double Q-learning (AAAI 2016).
   */
  readonly double: boolean;
  /** The target follows with every so many updates, at least 1: the authors copy it, ρ = 1, with every 10,000th. */
  readonly updateTargetEvery: number;
  /** What is left of the learning rate in the end, as a share of it, [0, 1]: 1 keeps it as it is, */
  readonly learningRateEnd: number;
  /** and after how many updates it ends, at least 1. In between, it changes by the same amount with each update. */
  readonly learningRateSteps: number;
  /** How often a head chooses at random, [0, 1]: first, */
  readonly explorationStart: number;
  /** last, */
  readonly explorationEnd: number;
  /** and after how many explored states last, at least 1. In between, it changes by the same amount with each state. */
  readonly explorationSteps: number;
}

/** The numbers of `td3Defaults`, three levels of shares, and exploration that ends after twenty epochs of the paper's. */
export const dqnDefaults: DqnSettings = {
  hidden: 64,
  pooled: true,
  discount: 0.95,
  learningRate: 5e-4,
  targetShare: 0.02,
  batchSize: 32,
  bufferCapacity: 20_000,
  choices: offloadingChoices(3),
  double: false,
  updateTargetEvery: 1,
  learningRateEnd: 1,
  learningRateSteps: 1,
  explorationStart: 1,
  explorationEnd: 0.02,
  explorationSteps: 1_600,
};

/**
 * Heads of a row: as many as its action has numbers for.
 *
 * @throws RangeError when there are fewer than two choices, choices do not make up the action, or a row has neither one
 * value nor one for each head
 */
export const headCount = ({ actions, values }: Rows, choices: Choices): number => {
  const [first = []] = choices;
  const heads = actions / first.length;
  if (choices.length < 2 || !Number.isInteger(heads) || choices.some(({ length }) => length !== first.length)) {
    throw new RangeError(`Expected at least 2 choices that make up ${actions} numbers, got ${JSON.stringify(choices)}`);
  }
  if (values !== 1 && values !== heads) throw new RangeError(`Expected 1 value or ${heads}, got ${values}`);
  return heads;
};

/** What the network of an agent looks like: an output for each choice of each head. */
export const dqnShape = (shape: Rows, { hidden, pooled, choices }: DqnSettings): NetworkShape => ({
  inputs: shape.features,
  hidden,
  outputs: headCount(shape, choices) * choices.length,
  pooled,
});

/** What the buffer holds of an action: the index of each head's choice. */
const storedShape = (shape: Rows, choices: Choices): Rows => ({ ...shape, actions: headCount(shape, choices) });

/**
 * One update as expressions, in the order of the algorithm of Mnih et al., Human-level control through deep reinforcement
 * learning (Nature 518, 2015), Algorithm 1.
 *
 * @param withTarget whether it is the target's turn
 * @returns what changes of `critic`, and its loss
 */
export const dqnUpdate = (shape: Rows, settings: DqnSettings, withTarget: boolean): Record<string, Expression> => {
  const { rows } = shape;
  const { batchSize, discount, targetShare, learningRate, choices, double } = settings;
  const heads = headCount(shape, choices);
  const lines = batchSize * rows;
  const layout = networkLayout(dqnShape(shape, settings));
  const critic = trainedInput("critic", [layoutSize(layout)]);
  const weights = weightsIn(critic.weights, layout);
  const byHead = (values: Expression): Expression => reshape(values, [lines, heads, choices.length]);

  const { states, actions, rewards, nextStates, continues } = batchInput(storedShape(shape, choices), batchSize);
  // y = r + γ max_a' Q'(s', a'), of each head; a single reward is every head's
  const nextValues = byHead(network(weightsIn(critic.target, layout), nextStates, rows));
  const best = double
    ? valueOfBest(nextValues, byHead(network(weights, nextStates, rows)))
    : reshape(largest(nextValues, 2), [lines, heads]);
  const targets = stopGradient(add(rewards, multiply(multiply(continues, discount), best)));
  // Q(s, a) of what was chosen
  const taken = sum(multiply(byHead(network(weights, states, rows)), isChosen(actions, choices.length)), [2]);
  const criticLoss = mean(huberLoss(subtract(taken, targets)));
  const gradient = flattened(gradients(criticLoss, Object.values(weights)));
  const next = descended("critic", critic, gradient, learningRate);
  return { ...trainedOutputs("critic", withTarget ? followed(next, targetShare) : next), criticLoss };
};

/** 1 where an index is a choice's, else 0. @param indices [lines, heads] @returns [lines, heads, choices] */
const isChosen = (indices: Expression, choiceCount: number): Expression => {
  const [lines = 0, heads = 0] = indices.shape;
  const index = reshape(indices, [lines, heads, 1]);
  const choice = constant([...Array(choiceCount).keys()], [choiceCount]);
  return multiply(atMost(index, choice), atMost(choice, index));
};

/** Values of the choices that others find best, the mean of those that they find equally good. @returns [lines, heads] */
const valueOfBest = (values: Expression, others: Expression): Expression => {
  const [lines = 0, heads = 0] = others.shape;
  const isBest = atMost(reshape(largest(others, 2), [lines, heads, 1]), others);
  return divide(sum(multiply(values, isBest), [2]), sum(isBest, [2]));
};

/**
 * Huber's loss: e²/2 within ± 1, |e| − 1/2 outside, so that its gradient is the error clipped at ± 1, as Mnih et al. clip it.
 *
 * Where one failed task costs ten times what another earns, squared errors of the few would move all weights.
 */
const huberLoss = (error: Expression): Expression => {
  const clipped = clip(error, -1, 1);
  return multiply(clipped, subtract(error, multiply(clipped, 0.5)));
};

/**
 * The paper's baseline [26], DQN: a network that values choices, of which the best is taken.
 *
 * Differs: a head for each device, with its own reward where rows have one for each; the paper does not say how it
 * discretises the actions, and an output for each joint choice of 13 devices would be 4¹³ of them. Adam instead of RMSProp; ρ < 1 lets the
 * target follow with every update; only the last state is seen, not the last four.
 */
export class Dqn implements Agent {
  readonly shape: Rows;
  readonly settings: DqnSettings;
  readonly buffer: ReplayBuffer;
  readonly #seed: number;
  /** Of a row. */
  readonly #heads: number;
  readonly #programs: Programs;
  readonly #forward: Forward;
  readonly #networks: TrainedNetworks;
  readonly #batch: Float32Array;
  /** [rows, heads, choices] */
  readonly #values: Float32Array;
  /** [rows, heads] of the transition that is stored */
  readonly #indices: Float32Array;
  #random: RandomStream;
  /** States that were explored. */
  #explored = 0;

  /**
   * @param weightsSeed what the network begins as; its target equals it
   * @param drawsSeed of exploration and batches
   * @throws RangeError when a setting is out of its range, or choices do not fit the shape
   */
  constructor(engine: Engine, shape: Rows, settings: DqnSettings, weightsSeed: number, drawsSeed = weightsSeed) {
    checkSettings(settings, {
      updateTargetEvery: counts,
      learningRateEnd: shares,
      learningRateSteps: counts,
      explorationStart: shares,
      explorationEnd: shares,
      explorationSteps: counts,
    });
    const networkShape = dqnShape(shape, settings);
    const stored = storedShape(shape, settings.choices);
    this.shape = shape;
    this.settings = settings;
    this.buffer = new ReplayBuffer(stored, settings.bufferCapacity);
    this.#seed = drawsSeed;
    this.#programs = new Programs(engine);
    this.#forward = new Forward(networkShape, shape.rows);
    this.#batch = new Float32Array(settings.batchSize * shape.rows * transitionWidth(stored));
    this.#values = new Float32Array(shape.rows * networkShape.outputs);
    this.#heads = stored.actions;
    this.#indices = new Float32Array(shape.rows * this.#heads);
    this.#networks = new TrainedNetworks({
      critic: initialWeights(networkLayout(networkShape), weightsSeed, "critic 1"),
    });
    this.#random = randomStream(drawsSeed, "epoch", 0);
  }

  beginEpoch(epoch: number): void {
    this.#random = randomStream(this.#seed, "epoch", epoch);
  }

  /** The choices of the highest values, the first one of equals. */
  act(state: Float32Array, action: Float32Array): void {
    this.#choose(state, action, 0);
  }

  /** The same, each head at random now and then. */
  explore(state: Float32Array, action: Float32Array): void {
    this.#choose(state, action, this.randomChoiceProbability);
    this.#explored++;
  }

  /** Of each head, in the next state that is explored. */
  get randomChoiceProbability(): number {
    const { explorationStart, explorationEnd, explorationSteps } = this.settings;
    return changing(explorationStart, explorationEnd, this.#explored / explorationSteps);
  }

  /** Any choice of each head. */
  actRandomly(action: Float32Array): void {
    this.#write(action, () => this.#random.integer(this.settings.choices.length));
  }

  /** Remembers, of the action, which choices it is nearest to. */
  store(transition: Transition): void {
    const { actions, rows } = this.shape;
    const heads = this.#heads;
    for (let row = 0; row < rows; row++) {
      const action = transition.action.subarray(row * actions, (row + 1) * actions);
      for (let head = 0; head < heads; head++) {
        this.#indices[row * heads + head] = nearestChoice(this.settings.choices, action, head, heads);
      }
    }
    this.buffer.push({ ...transition, action: this.#indices });
  }

  async update(): Promise<Losses> {
    const { batchSize, updateTargetEvery, learningRateEnd, learningRateSteps } = this.settings;
    this.buffer.sample(this.#random, batchSize, this.#batch);
    const updates = this.#networks.stepsOf("critic");
    const withTarget = (updates + 1) % updateTargetEvery === 0;
    const rateShare = changing(1, learningRateEnd, updates / learningRateSteps);
    const program = await this.#programs.open(`dqn${withTarget ? "-target" : ""}`, () =>
      dqnUpdate(this.shape, this.settings, withTarget),
    );
    const results = await program.run({ ...this.#networks.feeds(rateShare), batch: this.#batch });
    this.#networks.take(results);
    return { critic: results["criticLoss"]?.[0] ?? Number.NaN };
  }

  get actor(): Actor {
    const { choices } = this.settings;
    return { shape: dqnShape(this.shape, this.settings), weights: this.#networks.weightsOf("critic").slice(), choices };
  }

  get weights(): AgentWeights {
    return { critic: this.#networks.weightsOf("critic").slice() };
  }

  /** @throws RangeError when they are of another network */
  set weights(weights: AgentWeights) {
    this.#networks.replaceWeights(weights);
  }

  startFrom(weights: AgentWeights): void {
    this.weights = weights;
    this.#networks.startAnew();
  }

  get proximal(): undefined {
    return undefined;
  }

  /** @throws RangeError when any λ is above 0 */
  set proximal(proximal: Proximal | undefined) {
    refuseProximal("DQN", proximal);
  }

  snapshot(): AgentSnapshot {
    return snapshotOf(this.#networks, this.buffer, { explored: this.#explored });
  }

  restore(snapshot: AgentSnapshot): void {
    restoreFrom(snapshot, this.#networks, this.buffer);
    this.#explored = snapshot.counts["explored"] ?? 0;
  }

  close(): Promise<void> {
    return this.#programs.close();
  }

  #choose(state: Float32Array, action: Float32Array, randomChoiceProbability: number): void {
    const count = this.settings.choices.length;
    this.#forward.run(this.#networks.weightsOf("critic"), state, this.#values);
    this.#write(action, (head) =>
      randomChoiceProbability > 0 && this.#random.uniform() < randomChoiceProbability
        ? this.#random.integer(count)
        : indexOfLargest(this.#values, head * count, count),
    );
  }

  /** @param choose the index of a head's choice; heads are counted over all rows */
  #write(action: Float32Array, choose: (head: number) => number): void {
    const { actions, rows } = this.shape;
    const heads = this.#heads;
    for (let row = 0; row < rows; row++) {
      const ownAction = action.subarray(row * actions, (row + 1) * actions);
      for (let head = 0; head < heads; head++) {
        const choice = this.settings.choices[choose(row * heads + head)] as readonly number[];
        writeChoice(choice, head, heads, ownAction);
      }
    }
  }
}

/** From a start to an end, as `passed` goes from 0 to 1; the end from then on. */
const changing = (start: number, end: number, passed: number): number => start + Math.min(passed, 1) * (end - start);
