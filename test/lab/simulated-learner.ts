import { type AgentWeights, type Losses, onnxEngine, type Proximal, Td3, td3Defaults } from "@offloadlab/learning";
import { randomStream, type Settings } from "@offloadlab/model";
import { Community } from "@offloadlab/simulation";
import type { Learner, LearnerReport } from "../../apps/mec/src/federation-client.ts";
import { AgentWorld } from "../../packages/simulation/src/agent-world.ts";

const view = { networks: "set", values: "device" } as const;
const agentSettings = { ...td3Defaults, hidden: 8, batchSize: 4, bufferCapacity: 500 };

/** A small TD3 learner that lives in the simulator: all that a federation needs of a server, in a moment. */
export class SimulatedLearner implements Learner {
  readonly #world: AgentWorld;
  readonly #agent: Td3;
  readonly #state: Float32Array;
  readonly #next: Float32Array;
  readonly #action: Float32Array;
  readonly #random: ReturnType<typeof randomStream>;
  /** The agent is never asked two things at once: a round's weights would be lost to an update under way. */
  #queue: Promise<unknown> = Promise.resolve();
  #fresh = true;
  #updates = 0;
  #losses: Record<string, { sum: number; count: number }> = {};
  #absoluteReward = 0;
  #rewards = 0;

  /** @param seed of the networks: learners that are federated begin as one */
  constructor(settings: Settings, community: number, seed: number) {
    this.#world = new AgentWorld(new Community(settings, community, seed), view);
    this.#agent = new Td3(onnxEngine, this.#world.shape, agentSettings, seed, seed + 1 + community);
    this.#random = randomStream(seed, "learner", community);
    const { rows, features, actions } = this.#world.shape;
    this.#state = new Float32Array(rows * features);
    this.#next = new Float32Array(rows * features);
    this.#action = new Float32Array(rows * actions);
    this.#agent.beginEpoch(1);
  }

  get weights(): AgentWeights {
    return this.#agent.weights;
  }

  /** Float32 numbers of each network. */
  get shapes(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.weights).map(([name, { length }]) => [name, length]));
  }

  /** Some sub-slots, and an update after each. */
  learn(subSlots: number): Promise<void> {
    return this.#inTurn(() => this.#learn(subSlots));
  }

  report(): Promise<LearnerReport> {
    return this.#inTurn(async () => this.#report());
  }

  adopt(weights: AgentWeights, proximal: Proximal | undefined, startsAnew: boolean): Promise<void> {
    return this.#inTurn(async () => this.#adopt(weights, proximal, startsAnew));
  }

  pull(proximal: Proximal): Promise<void> {
    return this.#inTurn(async () => {
      this.#agent.proximal = proximal;
    });
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#agent.close());
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #learn(subSlots: number): Promise<void> {
    for (let i = 0; i < subSlots; i++) {
      if (this.#fresh) {
        this.#world.community.reset(this.#random.integer(2 ** 32));
        this.#world.observe(this.#state);
      }
      this.#agent.explore(this.#state, this.#action);
      const { rewards, truncated } = this.#world.step(this.#action);
      this.#world.observe(this.#next);
      const { state, action, next } = { state: this.#state, action: this.#action, next: this.#next };
      this.#agent.store({ state, action, reward: rewards, next, terminated: false });
      this.#state.set(this.#next);
      this.#fresh = truncated;
      for (const reward of rewards) this.#absoluteReward += Math.abs(reward);
      this.#rewards += rewards.length;
      this.#note(await this.#agent.update());
    }
  }

  #note(losses: Losses): void {
    this.#updates += 1;
    for (const [name, loss] of Object.entries(losses)) {
      const { sum = 0, count = 0 } = this.#losses[name] ?? {};
      this.#losses[name] = { sum: sum + loss, count: count + 1 };
    }
  }

  #report(): LearnerReport {
    return {
      weights: this.#agent.weights,
      losses: Object.fromEntries(Object.entries(this.#losses).map(([name, { sum, count }]) => [name, sum / count])),
      updates: this.#updates,
      meanAbsoluteReward: this.#absoluteReward / Math.max(this.#rewards, 1),
    };
  }

  #adopt(weights: AgentWeights, proximal: Proximal | undefined, startsAnew: boolean): void {
    if (startsAnew) this.#agent.startFrom(weights);
    else this.#agent.weights = weights;
    this.#agent.proximal = proximal;
    this.#updates = 0;
    this.#losses = {};
    this.#absoluteReward = 0;
    this.#rewards = 0;
  }
}
