import { type RandomStream, randomStream } from "@offloadlab/model";
import type { Agent, AgentSnapshot, AgentWeights, Losses, Proximal } from "./agent.ts";
import { adamCorrection, adamDefaults, adamStep } from "./graph/adam.ts";
import {
  add,
  clip,
  concat,
  type Expression,
  gradients,
  input,
  mean,
  minimum,
  multiply,
  reshape,
  slice,
  square,
  stopGradient,
  subtract,
  sum,
} from "./graph/expression.ts";
import { flattened, type Layout, layoutSize, type Weights, weightsIn } from "./graph/parameters.ts";
import type { Engine, Program, Values } from "./graph/program.ts";
import { actor, Forward, initialWeights, type NetworkShape, network, networkLayout, type Rows } from "./network.ts";
import { Normal } from "./normal.ts";
import { ReplayBuffer, type Transition, transitionWidth } from "./replay-buffer.ts";

/** Alg. 1, line 1, and the paper's §V-A, where it says; defaults are in `td3Defaults`. */
export interface Td3Settings {
  readonly hidden: number;
  /** Whether rows know of each other: `set` networks. */
  readonly pooled: boolean;
  /** γ: 0 sees the instant reward only, below 1. */
  readonly discount: number;
  /** τ */
  readonly learningRate: number;
  /** ρ: 0 keeps the target networks, 1 copies the trained ones into them. */
  readonly targetShare: number;
  /** N, transitions */
  readonly batchSize: number;
  /** f_a: the actor and the targets are updated with every so many updates of the critics; 1 is DDPG's way. */
  readonly updateActorEvery: number;
  /** σ₁ of ε₁, in the action's own unit; 0 explores nothing. */
  readonly actionNoise: number;
  /** σ₂ of ε₂ */
  readonly targetNoise: number;
  /** c, of both noises */
  readonly noiseClip: number;
  /** How often a row acts at random instead, [0, 1]. */
  readonly randomActionProbability: number;
  readonly bufferCapacity: number;
}

/** Where the paper is silent, what learned best: learning.md of the design documents gives the numbers. */
export const td3Defaults: Td3Settings = {
  hidden: 64,
  pooled: true,
  discount: 0.95,
  learningRate: 1e-3,
  targetShare: 0.02,
  batchSize: 32,
  updateActorEvery: 2,
  actionNoise: 0.2,
  targetNoise: 0.2,
  noiseClip: 0.5,
  randomActionProbability: 0.02,
  bufferCapacity: 20_000,
};

/** Everything that an agent has learned, flat: weights, the moments of their gradients, and the targets' weights. */
const stateNames = [
  "critics",
  "criticsFirst",
  "criticsSecond",
  "criticsTarget",
  "actor",
  "actorFirst",
  "actorSecond",
  "actorTarget",
] as const;
type StateName = (typeof stateNames)[number];
type State<T> = Record<StateName, T>;

const stateOf = <T>(make: (name: StateName) => T): State<T> =>
  Object.fromEntries(stateNames.map((name) => [name, make(name)])) as State<T>;

/** The shape of each part of the state. */
const stateShapes = (actorLayout: Layout, criticLayout: Layout): State<readonly number[]> => {
  const actorShape = [layoutSize(actorLayout)];
  const criticsShape = [2, layoutSize(criticLayout)];
  return stateOf((name) => (name.startsWith("critics") ? criticsShape : actorShape));
};

/** What the networks of an agent look like. */
export const td3Shapes = ({ features, actions, values }: Rows, { hidden, pooled }: Td3Settings) => {
  const shape = (inputs: number, outputs: number): NetworkShape => ({ inputs, hidden, outputs, pooled });
  return { actor: shape(features, actions), critic: shape(features + actions, values) };
};

/**
 * Next action under the target actor, with clipped noise.
 *
 * Eq. (21): a(t+1) = μ(s(t+1) | θ^μ') + ε₂, ε₂ ~ clip(N(0, σ₂), −c, c)
 *
 * Differs: the sum is clipped to the action's range, as in TD3's own paper.
 *
 * @param noise ε₂, clipped
 */
const targetAction = (weights: Weights, nextStates: Expression, noise: Expression, rows: number): Expression =>
  clip(add(actor(weights, nextStates, rows), noise), -1, 1);

/**
 * What the critics should have said.
 *
 * Eq. (22): y = r(t) + γ min_{z=1,2} Q_z(s(t+1), a(t+1) | θ^Q'_z)
 *
 * The end of an epoch is a time limit: values count after it. Only a terminal state, which no community has, has none.
 *
 * @param values [2, states · rows, values] of both target critics
 * @param continues [states · rows, 1] 0 after a terminal state, else 1
 */
const targetValue = (rewards: Expression, values: Expression, continues: Expression, discount: number): Expression => {
  const [first, second] = [0, 1].map((z) => reshape(slice(values, 0, z, z + 1), rewards.shape)) as [
    Expression,
    Expression,
  ];
  return stopGradient(add(rewards, multiply(multiply(continues, discount), minimum(first, second))));
};

/**
 * Losses of both critics, without their proximal terms.
 *
 * Eq. (23): θ^Q_z ← argmin N⁻¹ Σ (y − Q_z(s, a))² + λ_Q_z / 2 ‖θ^Q_z − θ^Q_f,z‖²
 *
 * @param values [2, states · rows, values]
 * @returns [2]
 */
const criticLosses = (values: Expression, targets: Expression): Expression =>
  mean(square(subtract(values, targets)), [1, 2]);

/** λ/2 ‖θ − θ_f‖² of each network, summed. @param weights [..., size], λ [..., 1] */
const proximalTerm = (weights: Expression, globalWeights: Expression, lambda: Expression): Expression =>
  sum(multiply(multiply(lambda, 0.5), square(subtract(weights, globalWeights))));

/**
 * One update of Algorithm 1 as expressions, lines 14 to 20, in its order.
 *
 * @param withActor whether it is the actor's turn, line 17
 * @param withProximal whether the networks are drawn to global ones
 * @returns every part of the state by its name with `Next`, and the losses
 */
export const td3Update = (
  shape: Rows,
  settings: Td3Settings,
  { withActor, withProximal }: { readonly withActor: boolean; readonly withProximal: boolean },
): Record<string, Expression> => {
  const { features, actions, values, rows } = shape;
  const { batchSize, discount, targetShare, learningRate } = settings;
  const shapes = td3Shapes(shape, settings);
  const actorLayout = networkLayout(shapes.actor);
  const criticLayout = networkLayout(shapes.critic);
  const sizes = stateShapes(actorLayout, criticLayout);
  const state = stateOf((name) => input(name, sizes[name]));
  const adam = { ...adamDefaults, learningRate };

  // Alg. 1, line 13: N transitions, a row of each device or of the community a line.
  const batch = input("batch", [batchSize * rows, transitionWidth(shape)]);
  const columns = (start: number, count: number): Expression => slice(batch, 1, start, start + count);
  const states = columns(0, features);
  const statesAndActions = columns(0, features + actions);
  const rewards = columns(features + actions, values);
  const nextStates = columns(features + actions + values, features);
  const continues = columns(2 * features + actions + values, 1);

  // Alg. 1, line 14
  const noise = input("targetNoise", [batchSize * rows, actions]);
  const nextActions = targetAction(weightsIn(state.actorTarget, actorLayout), nextStates, noise, rows);
  // Alg. 1, line 15
  const nextValues = network(weightsIn(state.criticsTarget, criticLayout), concat([nextStates, nextActions], 1), rows);
  const targets = targetValue(rewards, nextValues, continues, discount);
  // Alg. 1, line 16
  const criticWeights = weightsIn(state.critics, criticLayout);
  const losses = criticLosses(network(criticWeights, statesAndActions, rows), targets);
  const criticGradient = flattened(gradients(sum(losses), Object.values(criticWeights)), 1);
  const critics = adamStep(
    { weights: state.critics, first: state.criticsFirst, second: state.criticsSecond },
    withProximal
      ? add(criticGradient, proximalGradient(state.critics, "globalCritics", input("criticLambdas", [2, 1])))
      : criticGradient,
    correctionsOf("critic"),
    adam,
  );
  const criticsNext = {
    criticsNext: critics.weights,
    criticsFirstNext: critics.first,
    criticsSecondNext: critics.second,
    criticLosses: losses,
  };
  if (!withActor) return criticsNext;

  // Alg. 1, line 18. Differs: the text adds a scalar to a gradient, with the sign that pushes away from the global model.
  const actorWeights = weightsIn(state.actor, actorLayout);
  const firstCritic = weightsIn(reshape(slice(critics.weights, 0, 0, 1), [layoutSize(criticLayout)]), criticLayout);
  const ownActions = actor(actorWeights, states, rows);
  const actorLoss = multiply(mean(network(firstCritic, concat([states, ownActions], 1), rows)), -1);
  const actorGradient = flattened(gradients(actorLoss, Object.values(actorWeights)));
  const policy = adamStep(
    { weights: state.actor, first: state.actorFirst, second: state.actorSecond },
    withProximal
      ? add(actorGradient, proximalGradient(state.actor, "globalActor", input("actorLambda", [1])))
      : actorGradient,
    correctionsOf("actor"),
    adam,
  );
  // Alg. 1, line 19
  const mixed = (weights: Expression, target: Expression): Expression =>
    add(multiply(weights, targetShare), multiply(target, 1 - targetShare));
  return {
    ...criticsNext,
    criticsTargetNext: mixed(critics.weights, state.criticsTarget),
    actorNext: policy.weights,
    actorFirstNext: policy.first,
    actorSecondNext: policy.second,
    actorTargetNext: mixed(policy.weights, state.actorTarget),
    actorLoss,
  };
};

/** λ (θ − θ_f), derived. */
const proximalGradient = (weights: Expression, globalName: string, lambda: Expression): Expression => {
  const term = proximalTerm(weights, input(globalName, weights.shape), lambda);
  return gradients(term, [weights])[0] as Expression;
};

/** Adam's corrections of this step, given from outside. */
const correctionsOf = (network: "critic" | "actor") => ({
  first: input(`${network}FirstCorrection`, [1]),
  second: input(`${network}SecondCorrection`, [1]),
});

/**
 * The paper's local learner, Algorithm 1: twin-delayed DDPG with a proximal term.
 *
 * Everything random of an epoch is drawn from a stream of that epoch, so what a checkpoint holds is enough to go on to the
 * same bytes.
 */
export class Td3 implements Agent {
  readonly shape: Rows;
  readonly settings: Td3Settings;
  readonly buffer: ReplayBuffer;
  readonly #seed: number;
  readonly #engine: Engine;
  readonly #programs = new Map<string, Promise<Program>>();
  readonly #forward: Forward;
  readonly #batch: Float32Array;
  readonly #targetNoise: Float32Array;
  #state: State<Float32Array>;
  #random: RandomStream;
  #normal: Normal;
  /** Of the critics. */
  #updates = 0;
  #actorUpdates = 0;
  #proximal: Proximal | undefined;
  /** The weights that it draws to. */
  #global: { readonly critics: Float32Array; readonly actor: Float32Array } | undefined;

  /**
   * Alg. 1, line 1: random networks, and targets that equal them.
   *
   * @param weightsSeed what the networks begin as; agents that are federated have it in common
   * @param drawsSeed of exploration, noise and batches
   */
  constructor(engine: Engine, shape: Rows, settings: Td3Settings, weightsSeed: number, drawsSeed = weightsSeed) {
    const shapes = td3Shapes(shape, settings);
    const actorLayout = networkLayout(shapes.actor);
    const criticLayout = networkLayout(shapes.critic);
    this.shape = shape;
    this.settings = settings;
    this.buffer = new ReplayBuffer(shape, settings.bufferCapacity);
    this.#engine = engine;
    this.#seed = drawsSeed;
    this.#forward = new Forward(shapes.actor, shape.rows);
    this.#batch = new Float32Array(settings.batchSize * shape.rows * transitionWidth(shape));
    this.#targetNoise = new Float32Array(settings.batchSize * shape.rows * shape.actions);
    const policy = initialWeights(actorLayout, weightsSeed, "actor");
    const critics = Float32Array.of(
      ...initialWeights(criticLayout, weightsSeed, "critic 1"),
      ...initialWeights(criticLayout, weightsSeed, "critic 2"),
    );
    this.#state = {
      critics,
      criticsFirst: new Float32Array(critics.length),
      criticsSecond: new Float32Array(critics.length),
      criticsTarget: critics.slice(),
      actor: policy,
      actorFirst: new Float32Array(policy.length),
      actorSecond: new Float32Array(policy.length),
      actorTarget: policy.slice(),
    };
    this.#random = randomStream(drawsSeed, "epoch", 0);
    this.#normal = new Normal(this.#random);
  }

  /** Begins an epoch's own random stream. */
  beginEpoch(epoch: number): void {
    this.#random = randomStream(this.#seed, "epoch", epoch);
    this.#normal.use(this.#random);
  }

  /** μ(s). @param action [rows, actions], filled */
  act(state: Float32Array, action: Float32Array): void {
    this.#forward.run(this.#state.actor, state, action);
    for (let i = 0; i < action.length; i++) action[i] = Math.tanh(action[i] as number);
  }

  /** Alg. 1, line 10: μ(s) + ε₁, and now and then a row that acts at random. @param action [rows, actions], filled */
  explore(state: Float32Array, action: Float32Array): void {
    const { actionNoise, noiseClip, randomActionProbability } = this.settings;
    const { rows, actions } = this.shape;
    this.act(state, action);
    for (let row = 0; row < rows; row++) {
      const isRandom = this.#random.uniform() < randomActionProbability;
      for (let i = row * actions; i < (row + 1) * actions; i++) {
        action[i] = isRandom
          ? this.#random.uniform(-1, 1)
          : clamped((action[i] as number) + this.#normal.draw(actionNoise, noiseClip));
      }
    }
  }

  /** Any action. @param action [rows, actions], filled */
  actRandomly(action: Float32Array): void {
    for (let i = 0; i < action.length; i++) action[i] = this.#random.uniform(-1, 1);
  }

  /** Alg. 1, line 12. */
  store(transition: Transition): void {
    this.buffer.push(transition);
  }

  /** Alg. 1, lines 13 to 20. */
  async update(): Promise<Losses> {
    const { batchSize, targetNoise, noiseClip, updateActorEvery, learningRate } = this.settings;
    this.buffer.sample(this.#random, batchSize, this.#batch);
    this.#normal.fill(this.#targetNoise, targetNoise, noiseClip);
    const withActor = ++this.#updates % updateActorEvery === 0;
    if (withActor) this.#actorUpdates++;
    const adam = { ...adamDefaults, learningRate };
    const [criticFirst, criticSecond] = adamCorrection(this.#updates, adam);
    const [actorFirst, actorSecond] = adamCorrection(Math.max(this.#actorUpdates, 1), adam);
    const program = await this.#program(withActor);
    const result = await program.run({
      ...this.#state,
      ...this.#proximalFeeds(),
      batch: this.#batch,
      targetNoise: this.#targetNoise,
      criticFirstCorrection: Float32Array.of(criticFirst),
      criticSecondCorrection: Float32Array.of(criticSecond),
      actorFirstCorrection: Float32Array.of(actorFirst),
      actorSecondCorrection: Float32Array.of(actorSecond),
    });
    for (const name of stateNames) {
      const next = result[`${name}Next`];
      if (next !== undefined) this.#state[name] = next;
    }
    const [critic1 = Number.NaN, critic2 = Number.NaN] = result["criticLosses"] ?? [];
    const policy = result["actorLoss"]?.[0];
    return { critic1, critic2, ...(policy === undefined ? {} : { actor: policy }) };
  }

  get weights(): AgentWeights {
    const { critics, actor: policy } = this.#state;
    const half = critics.length / 2;
    return { critic1: critics.slice(0, half), critic2: critics.slice(half), actor: policy.slice() };
  }

  /** Alg. 1, line 6. */
  set weights(weights: AgentWeights) {
    const { critics, actor: policy } = this.#checked(weights);
    this.#state.critics = critics;
    this.#state.actor = policy;
  }

  get proximal(): Proximal | undefined {
    return this.#proximal;
  }

  set proximal(proximal: Proximal | undefined) {
    const isNothing = proximal === undefined || Object.values(proximal.lambdas).every((lambda) => lambda === 0);
    this.#proximal = isNothing ? undefined : proximal;
    this.#global = isNothing ? undefined : this.#checked(proximal.weights);
  }

  snapshot(): AgentSnapshot {
    const { pushed, data } = this.buffer.snapshot();
    const state = Object.fromEntries(stateNames.map((name) => [name, this.#state[name].slice()]));
    return {
      arrays: { ...state, buffer: data },
      counts: { updates: this.#updates, actorUpdates: this.#actorUpdates, pushed },
    };
  }

  restore({ arrays, counts }: AgentSnapshot): void {
    for (const name of stateNames) this.#state[name] = sized(name, arrays[name], this.#state[name].length).slice();
    this.#updates = counts["updates"] ?? 0;
    this.#actorUpdates = counts["actorUpdates"] ?? 0;
    this.buffer.restore({ pushed: counts["pushed"] ?? 0, data: arrays["buffer"] ?? new Float32Array(0) });
  }

  async close(): Promise<void> {
    for (const program of this.#programs.values()) await (await program).close();
  }

  #program(withActor: boolean): Promise<Program> {
    const withProximal = this.#proximal !== undefined;
    const name = `td3${withActor ? "-actor" : ""}${withProximal ? "-proximal" : ""}`;
    const known = this.#programs.get(name);
    if (known !== undefined) return known;
    const opened = this.#engine.open(name, td3Update(this.shape, this.settings, { withActor, withProximal }));
    this.#programs.set(name, opened);
    return opened;
  }

  #proximalFeeds(): Values {
    if (this.#proximal === undefined || this.#global === undefined) return {};
    const lambda = (name: string): number => this.#proximal?.lambdas[name] ?? 0;
    return {
      criticLambdas: Float32Array.of(lambda("critic1"), lambda("critic2")),
      actorLambda: Float32Array.of(lambda("actor")),
      globalCritics: this.#global.critics,
      globalActor: this.#global.actor,
    };
  }

  /** Weights as the state has them, copied. @throws RangeError when they are of another network */
  #checked({ critic1, critic2, actor: policy }: AgentWeights): { critics: Float32Array; actor: Float32Array } {
    const half = this.#state.critics.length / 2;
    const critics = new Float32Array(2 * half);
    critics.set(sized("critic1", critic1, half));
    critics.set(sized("critic2", critic2, half), half);
    return { critics, actor: sized("actor", policy, this.#state.actor.length).slice() };
  }
}

const clamped = (value: number): number => Math.min(Math.max(value, -1), 1);

const sized = (name: string, values: Float32Array | undefined, size: number): Float32Array => {
  if (values?.length === size) return values;
  throw new RangeError(`Expected ${size} numbers of ${name}, got ${values?.length ?? "none"}`);
};
