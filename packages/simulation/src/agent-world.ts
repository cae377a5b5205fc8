import type { Agent, Rows } from "@offloadlab/learning";
import { type Action, emptyAction } from "@offloadlab/model";
import type { Policy } from "@offloadlab/policies";
import { count } from "@offloadlab/units";
import { AgentTranslator, type AgentView } from "./agent-translator.ts";
import type { Community } from "./community.ts";

/** A simulated community as an agent's world. */
export class AgentWorld {
  readonly community: Community;
  readonly #translator: AgentTranslator;
  readonly #action: Action;
  readonly #rewards: Float32Array;

  constructor(community: Community, view: AgentView) {
    this.community = community;
    this.#translator = new AgentTranslator(view, community.settings, community.communityIndex);
    this.#action = emptyAction(count(community.deviceCount));
    this.#rewards = new Float32Array(this.shape.rows * this.shape.values);
  }

  get shape(): Rows {
    return this.#translator.shape;
  }

  /** What an agent sees now. @param state [rows, features], filled */
  observe(state: Float32Array): void {
    this.#translator.observe(this.community.observation, state);
  }

  /**
   * Acts for a sub-slot.
   *
   * @param raw [rows, actions]
   * @returns [rows, values] scaled rewards, filled again by the next call, and whether the epoch is over
   */
  step(raw: Float32Array): { readonly rewards: Float32Array; readonly truncated: boolean } {
    this.#translator.decode(raw, this.community.observation, this.#action);
    const { rewards, truncated } = this.community.step(this.#action);
    this.#translator.earn(rewards, this.#rewards);
    return { rewards: this.#rewards, truncated };
  }

  policyOf(name: string, agent: Pick<Agent, "act">): Policy {
    return agentPolicy(name, this.#translator, agent);
  }
}

/** An agent as a policy: what it thinks best. */
export const agentPolicy = (name: string, translator: AgentTranslator, agent: Pick<Agent, "act">): Policy => {
  const { rows, features, actions } = translator.shape;
  const state = new Float32Array(rows * features);
  const raw = new Float32Array(rows * actions);
  return {
    name,
    decide: (observation, action) => {
      translator.observe(observation, state);
      agent.act(state, raw);
      translator.decode(raw, observation, action);
    },
  };
};
