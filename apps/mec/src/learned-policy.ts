import type { Agent } from "@offloadlab/learning";
import type { Action, Observation } from "@offloadlab/model";
import type { EndedTask } from "@offloadlab/protocol";
import type { AgentTranslator } from "@offloadlab/simulation";
import type { Decided, LivePolicy } from "./community-trial.ts";
import type { LiveLearner } from "./learner.ts";
import { Transitions } from "./transitions.ts";

/** What a learned policy that goes on learning is made of, for one trial. */
export interface LearningTrial {
  readonly learner: LiveLearner;
  /** In this epoch it acts at random, and does not learn yet. */
  readonly isRandom: boolean;
  readonly explores: boolean;
  readonly updatesPerSubSlot: number;
  readonly deviceCount: number;
  /** In an epoch. */
  readonly subSlotCount: number;
}

/** An agent that decides in the laboratory, and hands what comes of it to its learner. */
export class LearnedPolicy implements LivePolicy {
  readonly name: string;
  readonly #agent: Pick<Agent, "act" | "explore" | "actRandomly">;
  readonly #translator: AgentTranslator;
  readonly #learning: LearningTrial;
  readonly #state: Float32Array;
  readonly #raw: Float32Array;
  readonly transitions: Transitions;

  constructor(
    name: string,
    agent: Pick<Agent, "act" | "explore" | "actRandomly">,
    translator: AgentTranslator,
    learning: LearningTrial,
  ) {
    const { rows, features, actions } = translator.shape;
    const { learner, isRandom, updatesPerSubSlot, deviceCount, subSlotCount } = learning;
    this.name = name;
    this.#agent = agent;
    this.#translator = translator;
    this.#learning = learning;
    this.#state = new Float32Array(rows * features);
    this.#raw = new Float32Array(rows * actions);
    this.transitions = new Transitions(translator, deviceCount, subSlotCount, (transition) =>
      learner.learn(transition, isRandom ? 0 : updatesPerSubSlot),
    );
  }

  decide(observation: Observation, action: Action): void {
    const { isRandom, explores } = this.#learning;
    this.#translator.observe(observation, this.#state);
    // Alg. 1, line 10
    if (isRandom) this.#agent.actRandomly(this.#raw);
    else if (explores) this.#agent.explore(this.#state, this.#raw);
    else this.#agent.act(this.#state, this.#raw);
    this.#translator.decode(this.#raw, observation, action);
  }

  decided(decided: Decided): void {
    this.transitions.decided(decided, this.#state, this.#raw);
  }

  ended(device: number, { id, subSlot }: EndedTask, reward: number): void {
    this.transitions.ended(device, id, subSlot, reward);
  }
}
