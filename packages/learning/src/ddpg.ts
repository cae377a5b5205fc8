import { ActorCritic } from "./actor-critic.ts";
import { type ActorSettings, actorBounds, actorLossOf } from "./actor-loss.ts";
import type { AgentWeights, Losses, Proximal } from "./agent.ts";
import { batchInput } from "./batch.ts";
import { type ExplorationSettings, explorationBounds } from "./exploration.ts";
import {
  add,
  concat,
  type Expression,
  gradients,
  mean,
  multiply,
  square,
  stopGradient,
  subtract,
  tanh,
} from "./graph/expression.ts";
import { flattened, layoutSize, weightsIn } from "./graph/parameters.ts";
import type { Engine } from "./graph/program.ts";
import { actor, initialWeights, type NetworkShape, network, networkLayout, type Rows } from "./network.ts";
import { refuseProximal } from "./proximal.ts";
import { checkSettings, type LearnerSettings } from "./settings.ts";
import { descended, followed, trainedInput, trainedOutputs } from "./trained.ts";

export interface DdpgSettings extends LearnerSettings, ActorSettings, ExplorationSettings {}

/** The numbers of `td3Defaults`: what differs between the two is the algorithm. */
export const ddpgDefaults: DdpgSettings = {
  hidden: 64,
  pooled: true,
  discount: 0.95,
  learningRate: 5e-4,
  targetShare: 0.02,
  batchSize: 32,
  actionNoise: 0.2,
  noiseClip: 0.5,
  randomActionProbability: 0.1,
  saturationPenalty: 0.03,
  bufferCapacity: 20_000,
};

/** What the networks of an agent look like. */
export const ddpgShapes = ({ features, actions, values }: Rows, { hidden, pooled }: DdpgSettings) => {
  const shape = (inputs: number, outputs: number): NetworkShape => ({ inputs, hidden, outputs, pooled });
  return { actor: shape(features, actions), critic: shape(features + actions, values) };
};

/**
 * One update as expressions, in the order of the algorithm of Lillicrap et al., Continuous control with deep reinforcement
 * learning (ICLR 2016), Algorithm 1.
 *
 * @returns what changes of `critic` and `actor`, and the losses
 */
export const ddpgUpdate = (shape: Rows, settings: DdpgSettings): Record<string, Expression> => {
  const { rows } = shape;
  const { batchSize, discount, targetShare, learningRate, saturationPenalty } = settings;
  const shapes = ddpgShapes(shape, settings);
  const actorLayout = networkLayout(shapes.actor);
  const criticLayout = networkLayout(shapes.critic);
  const critic = trainedInput("critic", [layoutSize(criticLayout)]);
  const policy = trainedInput("actor", [layoutSize(actorLayout)]);

  const { states, statesAndActions, rewards, nextStates, continues } = batchInput(shape, batchSize);
  // y = r + γ Q'(s', μ'(s'))
  const nextActions = actor(weightsIn(policy.target, actorLayout), nextStates, rows);
  const nextValues = network(weightsIn(critic.target, criticLayout), concat([nextStates, nextActions], 1), rows);
  const targets = stopGradient(add(rewards, multiply(multiply(continues, discount), nextValues)));
  // L = N⁻¹ Σ (y − Q(s, a))²
  const criticWeights = weightsIn(critic.weights, criticLayout);
  const criticLoss = mean(square(subtract(network(criticWeights, statesAndActions, rows), targets)));
  const criticGradient = flattened(gradients(criticLoss, Object.values(criticWeights)));
  const nextCritic = descended("critic", critic, criticGradient, learningRate);
  // ∇J = N⁻¹ Σ ∇_a Q(s, a)|_{a = μ(s)} ∇μ(s), with the critic as it is now
  const actorWeights = weightsIn(policy.weights, actorLayout);
  const outputs = network(actorWeights, states, rows);
  const ownValues = network(weightsIn(nextCritic.weights, criticLayout), concat([states, tanh(outputs)], 1), rows);
  const actorLoss = actorLossOf(ownValues, outputs, saturationPenalty);
  const actorGradient = flattened(gradients(actorLoss, Object.values(actorWeights)));
  const nextPolicy = descended("actor", policy, actorGradient, learningRate);
  return {
    ...trainedOutputs("critic", followed(nextCritic, targetShare)),
    ...trainedOutputs("actor", followed(nextPolicy, targetShare)),
    criticLoss,
    actorLoss,
  };
};

/**
 * The paper's baseline [21], DDPG: one critic, no noise on target actions, the actor and the targets with every update.
 *
 * Differs: noise is Gaussian, as TD3's, where the authors' is correlated in time; no weight decay, no batch normalisation,
 * actions enter the critic with the states, and
 * outputs far from 0 cost the actor something before tanh.
 */
export class Ddpg extends ActorCritic<DdpgSettings> {
  /**
   * @param weightsSeed what the networks begin as; targets equal them
   * @param drawsSeed of exploration and batches
   * @throws RangeError when a setting is out of its range
   */
  constructor(engine: Engine, shape: Rows, settings: DdpgSettings, weightsSeed: number, drawsSeed = weightsSeed) {
    checkSettings(settings, { ...actorBounds, ...explorationBounds });
    const { actor: actorShape, critic: criticShape } = ddpgShapes(shape, settings);
    const critic = initialWeights(networkLayout(criticShape), weightsSeed, "critic 1");
    super(engine, shape, settings, actorShape, { critic }, weightsSeed, drawsSeed);
  }

  async update(): Promise<Losses> {
    const batch = this.sampled();
    const program = await this.programs.open("ddpg", () => ddpgUpdate(this.shape, this.settings));
    const results = await program.run({ ...this.networks.feeds(), batch });
    this.networks.take(results);
    return { critic: results["criticLoss"]?.[0] ?? Number.NaN, actor: results["actorLoss"]?.[0] ?? Number.NaN };
  }

  get weights(): AgentWeights {
    return {
      critic: this.networks.weightsOf("critic").slice(),
      actor: this.networks.weightsOf("actor").slice(),
    };
  }

  /** @throws RangeError when they are of other networks */
  set weights({ critic, actor: policy }: AgentWeights) {
    this.networks.replaceWeights({ critic, actor: policy });
  }

  get proximal(): undefined {
    return undefined;
  }

  /** @throws RangeError when any λ is above 0 */
  set proximal(proximal: Proximal | undefined) {
    refuseProximal("DDPG", proximal);
  }
}
