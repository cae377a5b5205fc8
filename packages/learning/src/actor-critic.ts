import { type RandomStream, randomStream } from "@offloadlab/model";
import type { Actor } from "./actor.ts";
import type { Agent, AgentSnapshot, AgentWeights, Losses, Proximal } from "./agent.ts";
import { restoreFrom, snapshotOf } from "./agent-snapshot.ts";
import { type ExplorationSettings, exploreAround, randomAction } from "./exploration.ts";
import type { Engine, Values } from "./graph/program.ts";
import { Forward, initialWeights, type NetworkShape, networkLayout, type Rows } from "./network.ts";
import { Normal } from "./normal.ts";
import { Programs } from "./programs.ts";
import { ReplayBuffer, type Transition, transitionWidth } from "./replay-buffer.ts";
import type { LearnerSettings } from "./settings.ts";
import { TrainedNetworks } from "./trained-networks.ts";

/** What two learners have in common: a deterministic actor, `actor`, that acts and is explored with noise. */
export abstract class ActorCritic<Settings extends LearnerSettings & ExplorationSettings> implements Agent {
  readonly shape: Rows;
  readonly settings: Settings;
  readonly buffer: ReplayBuffer;
  protected readonly programs: Programs;
  protected readonly networks: TrainedNetworks;
  protected readonly normal: Normal;
  /** The epoch that it is in; 0 before the first. */
  protected epoch = 0;
  readonly #seed: number;
  readonly #actorShape: NetworkShape;
  readonly #forward: Forward;
  readonly #batch: Float32Array;
  #random: RandomStream;

  /**
   * @param critics what is trained besides the actor, flat, by name
   * @param weightsSeed what the actor begins as
   * @param drawsSeed of exploration, noise and batches
   */
  protected constructor(
    engine: Engine,
    shape: Rows,
    settings: Settings,
    actorShape: NetworkShape,
    critics: Values,
    weightsSeed: number,
    drawsSeed: number,
  ) {
    this.shape = shape;
    this.settings = settings;
    this.buffer = new ReplayBuffer(shape, settings.bufferCapacity);
    this.programs = new Programs(engine);
    this.networks = new TrainedNetworks({
      ...critics,
      actor: initialWeights(networkLayout(actorShape), weightsSeed, "actor"),
    });
    this.#seed = drawsSeed;
    this.#actorShape = actorShape;
    this.#forward = new Forward(actorShape, shape.rows);
    this.#batch = new Float32Array(settings.batchSize * shape.rows * transitionWidth(shape));
    this.#random = randomStream(drawsSeed, "epoch", 0);
    this.normal = new Normal(this.#random);
  }

  abstract update(): Promise<Losses>;
  abstract get weights(): AgentWeights;
  abstract set weights(weights: AgentWeights);
  abstract get proximal(): Proximal | undefined;
  abstract set proximal(proximal: Proximal | undefined);

  beginEpoch(epoch: number): void {
    this.epoch = epoch;
    this.#random = randomStream(this.#seed, "epoch", epoch);
    this.normal.use(this.#random);
  }

  /** μ(s) */
  act(state: Float32Array, action: Float32Array): void {
    this.#forward.run(this.networks.weightsOf("actor"), state, action);
    for (let i = 0; i < action.length; i++) action[i] = Math.tanh(action[i] as number);
  }

  /** Alg. 1, line 10: μ(s) + ε₁ */
  explore(state: Float32Array, action: Float32Array): void {
    this.act(state, action);
    exploreAround(action, this.shape, this.settings, this.#random, this.normal);
  }

  actRandomly(action: Float32Array): void {
    randomAction(action, this.#random);
  }

  /** Alg. 1, line 12 */
  store(transition: Transition): void {
    this.buffer.push(transition);
  }

  get actor(): Actor {
    return { shape: this.#actorShape, weights: this.networks.weightsOf("actor").slice(), choices: undefined };
  }

  startFrom(weights: AgentWeights): void {
    this.weights = weights;
    this.networks.startAnew();
  }

  snapshot(): AgentSnapshot {
    return snapshotOf(this.networks, this.buffer);
  }

  restore(snapshot: AgentSnapshot): void {
    restoreFrom(snapshot, this.networks, this.buffer);
  }

  close(): Promise<void> {
    return this.programs.close();
  }

  /** Alg. 1, line 13: the transitions of an update, good until the next. */
  protected sampled(): Float32Array {
    this.buffer.sample(this.#random, this.settings.batchSize, this.#batch);
    return this.#batch;
  }
}
