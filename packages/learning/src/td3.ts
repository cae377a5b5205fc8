import { ActorCritic } from "./actor-critic.ts";
import { type ActorSettings, actorBounds, actorLossOf } from "./actor-loss.ts";
import type { AgentWeights, Losses, Proximal } from "./agent.ts";
import { batchInput } from "./batch.ts";
import { type ExplorationSettings, explorationBounds } from "./exploration.ts";
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
  tanh,
} from "./graph/expression.ts";
import { flattened, layoutSize, type Weights, weightsIn } from "./graph/parameters.ts";
import type { Engine, Values } from "./graph/program.ts";
import { actor, initialWeights, type NetworkShape, network, networkLayout, type Rows } from "./network.ts";
import { isDrawn, proximalGradient } from "./proximal.ts";
import { checkSettings, counts, type LearnerSettings, sizes } from "./settings.ts";
import { descended, followed, trainedInput, trainedOutputs } from "./trained.ts";
import { sized } from "./trained-networks.ts";

/** Alg. 1, line 1, and the paper's §V-A, where it says; defaults are in `td3Defaults`. */
export interface Td3Settings extends LearnerSettings, ActorSettings, ExplorationSettings {
  /** f_a, at least 1: how often the actor and the targets are updated. */
  readonly updateActorEvery: number;
  /** What f_a counts: updates of the critics, or epochs, in all updates of which the actor has its turn or has not. */
  readonly actorTurns: "updates" | "epochs";
  /** σ₂ of ε₂, at least 0; clipped at c as ε₁ is. */
  readonly targetNoise: number;
}

/** Where the paper is silent, what learned best of what was tried. */
export const td3Defaults: Td3Settings = {
  hidden: 64,
  pooled: true,
  discount: 0.95,
  learningRate: 5e-4,
  targetShare: 0.02,
  batchSize: 32,
  updateActorEvery: 2,
  actorTurns: "updates",
  actionNoise: 0.2,
  targetNoise: 0.2,
  noiseClip: 0.5,
  randomActionProbability: 0.1,
  saturationPenalty: 0.03,
  bufferCapacity: 20_000,
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
export const targetAction = (weights: Weights, nextStates: Expression, noise: Expression, rows: number): Expression =>
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
export const targetValue = (
  rewards: Expression,
  values: Expression,
  continues: Expression,
  discount: number,
): Expression => {
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
export const criticLosses = (values: Expression, targets: Expression): Expression =>
  mean(square(subtract(values, targets)), [1, 2]);

/**
 * One update of Algorithm 1 as expressions, lines 13 to 20, in its order.
 *
 * Both critics are one network with an axis in front, `critics`.
 *
 * @param withActor whether it is the actor's turn, line 17
 * @param withProximal whether the networks are drawn to global ones
 * @returns what changes of `critics` and `actor`, and the losses
 */
export const td3Update = (
  shape: Rows,
  settings: Td3Settings,
  { withActor, withProximal }: { readonly withActor: boolean; readonly withProximal: boolean },
): Record<string, Expression> => {
  const { actions, rows } = shape;
  const { batchSize, discount, targetShare, learningRate, saturationPenalty } = settings;
  const shapes = td3Shapes(shape, settings);
  const actorLayout = networkLayout(shapes.actor);
  const criticLayout = networkLayout(shapes.critic);
  const critics = trainedInput("critics", [2, layoutSize(criticLayout)]);
  const policy = trainedInput("actor", [layoutSize(actorLayout)]);
  /** With λ (θ − θ_f), where networks are drawn. */
  const drawn = (gradient: Expression, weights: Expression, globalName: string, lambda: Expression): Expression =>
    withProximal ? add(gradient, proximalGradient(weights, input(globalName, weights.shape), lambda)) : gradient;

  // Alg. 1, line 13
  const { states, statesAndActions, rewards, nextStates, continues } = batchInput(shape, batchSize);
  // Alg. 1, line 14
  const noise = input("targetNoise", [batchSize * rows, actions]);
  const nextActions = targetAction(weightsIn(policy.target, actorLayout), nextStates, noise, rows);
  // Alg. 1, line 15
  const nextValues = network(weightsIn(critics.target, criticLayout), concat([nextStates, nextActions], 1), rows);
  const targets = targetValue(rewards, nextValues, continues, discount);
  // Alg. 1, line 16
  const criticWeights = weightsIn(critics.weights, criticLayout);
  const losses = criticLosses(network(criticWeights, statesAndActions, rows), targets);
  const criticGradient = flattened(gradients(sum(losses), Object.values(criticWeights)), 1);
  const nextCritics = descended(
    "critics",
    critics,
    drawn(criticGradient, critics.weights, "globalCritics", input("criticLambdas", [2, 1])),
    learningRate,
  );
  if (!withActor) return { ...trainedOutputs("critics", nextCritics), criticLosses: losses };

  // Alg. 1, line 18. Differs: the text adds a scalar to a gradient, with the sign that pushes away from the global model.
  const actorWeights = weightsIn(policy.weights, actorLayout);
  const firstCritic = weightsIn(reshape(slice(nextCritics.weights, 0, 0, 1), [layoutSize(criticLayout)]), criticLayout);
  const outputs = network(actorWeights, states, rows);
  const ownValues = network(firstCritic, concat([states, tanh(outputs)], 1), rows);
  const actorLoss = actorLossOf(ownValues, outputs, saturationPenalty);
  const actorGradient = flattened(gradients(actorLoss, Object.values(actorWeights)));
  const nextPolicy = descended(
    "actor",
    policy,
    drawn(actorGradient, policy.weights, "globalActor", input("actorLambda", [1])),
    learningRate,
  );
  // Alg. 1, line 19
  return {
    ...trainedOutputs("critics", followed(nextCritics, targetShare)),
    ...trainedOutputs("actor", followed(nextPolicy, targetShare)),
    criticLosses: losses,
    actorLoss,
  };
};

/**
 * The paper's local learner, Algorithm 1: twin-delayed DDPG with a proximal term.
 *
 * Differs:
 * - Line 17 counts updates of the critics, as TD3 does; the text counts epochs, which is a setting.
 * - Line 18 minimises −Q₁ + λ/2 ‖θ − θ_f‖².
 * - The paper has one value for a community; here each row has as many values as its shape says, each with its own reward.
 * - Outputs far from 0 cost the actor something before tanh.
 * - Numbers of actions are random now and then, and updates begin when the caller says so: the paper has neither.
 */
export class Td3 extends ActorCritic<Td3Settings> {
  readonly #targetNoise: Float32Array;
  #proximal: Proximal | undefined;
  /** What it is drawn to, as an update is fed. */
  #pull: Values = {};

  /**
   * Alg. 1, line 1: random networks, and targets that equal them.
   *
   * @param weightsSeed what the networks begin as; agents that are federated have it in common
   * @param drawsSeed of exploration, noise and batches
   * @throws RangeError when a setting is out of its range
   */
  constructor(engine: Engine, shape: Rows, settings: Td3Settings, weightsSeed: number, drawsSeed = weightsSeed) {
    checkSettings(settings, { ...actorBounds, ...explorationBounds, updateActorEvery: counts, targetNoise: sizes });
    const { actor: actorShape, critic } = td3Shapes(shape, settings);
    const [first, second] = ["critic 1", "critic 2"].map((name) =>
      initialWeights(networkLayout(critic), weightsSeed, name),
    ) as [Float32Array, Float32Array];
    super(engine, shape, settings, actorShape, { critics: joined(first, second) }, weightsSeed, drawsSeed);
    this.#targetNoise = new Float32Array(settings.batchSize * shape.rows * shape.actions);
  }

  /** Alg. 1, lines 13 to 20 */
  async update(): Promise<Losses> {
    const { targetNoise, noiseClip } = this.settings;
    const batch = this.sampled();
    this.normal.fill(this.#targetNoise, targetNoise, noiseClip);
    const withActor = this.#isActorsTurn();
    const withProximal = this.#proximal !== undefined;
    const name = `td3${withActor ? "-actor" : ""}${withProximal ? "-proximal" : ""}`;
    const program = await this.programs.open(name, () =>
      td3Update(this.shape, this.settings, { withActor, withProximal }),
    );
    const feeds = { ...this.networks.feeds(), ...this.#pull, batch, targetNoise: this.#targetNoise };
    const results = await program.run(feeds);
    this.networks.take(results);
    const [critic1 = Number.NaN, critic2 = Number.NaN] = results["criticLosses"] ?? [];
    const actorLoss = results["actorLoss"]?.[0];
    return { critic1, critic2, ...(actorLoss === undefined ? {} : { actor: actorLoss }) };
  }

  /** Alg. 1, line 17 */
  #isActorsTurn(): boolean {
    const { updateActorEvery, actorTurns } = this.settings;
    const turn = actorTurns === "epochs" ? this.epoch : this.networks.stepsOf("critics") + 1;
    return turn % updateActorEvery === 0;
  }

  get weights(): AgentWeights {
    const critics = this.networks.weightsOf("critics");
    const half = critics.length / 2;
    return {
      critic1: critics.slice(0, half),
      critic2: critics.slice(half),
      actor: this.networks.weightsOf("actor").slice(),
    };
  }

  /** Alg. 1, line 6. @throws RangeError when they are of other networks */
  set weights(weights: AgentWeights) {
    this.networks.replaceWeights(this.#checked(weights));
  }

  get proximal(): Proximal | undefined {
    return this.#proximal;
  }

  set proximal(proximal: Proximal | undefined) {
    this.#pull = isDrawn(proximal) ? this.#pullOf(proximal) : {};
    this.#proximal = isDrawn(proximal) ? proximal : undefined;
  }

  #pullOf({ lambdas, weights }: Proximal): Values {
    const lambda = (name: string): number => lambdas[name] ?? 0;
    const { critics, actor: policy } = this.#checked(weights);
    return {
      globalCritics: critics,
      globalActor: policy,
      criticLambdas: Float32Array.of(lambda("critic1"), lambda("critic2")),
      actorLambda: Float32Array.of(lambda("actor")),
    };
  }

  /** Weights as the networks have them, copied. */
  #checked({ critic1, critic2, actor: policy }: AgentWeights): { critics: Float32Array; actor: Float32Array } {
    const half = this.networks.weightsOf("critics").length / 2;
    return {
      critics: joined(sized("critic1", critic1, half), sized("critic2", critic2, half)),
      actor: sized("actor", policy, this.networks.weightsOf("actor").length).slice(),
    };
  }
}

/** One array after the other. */
const joined = (first: Float32Array, second: Float32Array): Float32Array => {
  const values = new Float32Array(first.length + second.length);
  values.set(first);
  values.set(second, first.length);
  return values;
};
