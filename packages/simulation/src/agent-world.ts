import { type Agent, type FeatureSettings, featureCount, type Rows, writeFeatures } from "@offloadlab/learning";
import { type Action, decodeAction, emptyAction, type Observation } from "@offloadlab/model";
import type { Policy } from "@offloadlab/policies";
import { count } from "@offloadlab/units";
import type { Community } from "./community.ts";

/** How an agent sees a community. */
export interface AgentView {
  /** `set`: a row for each device and weights that all rows share; `flat`: one row for the community. */
  readonly networks: FeatureSettings["networks"];
  /** Of `flat`: whether the community has one value and the sum of all rewards, or each device its own. */
  readonly values: "team" | "device";
}

/** What a state, an action and a reward of a community look like for an agent. */
export const rowsOf = ({ networks, values }: AgentView, { settings, deviceCount }: Community): Rows => {
  const features = featureCount({ observation: settings.readings.observation, networks }, deviceCount);
  return networks === "set"
    ? { rows: deviceCount, features, actions: 3, values: 1 }
    : { rows: 1, features, actions: 3 * deviceCount, values: values === "team" ? 1 : deviceCount };
};

/** Translates between a community and an agent: what is seen, what is done, what it earns. */
export class AgentWorld {
  readonly community: Community;
  readonly shape: Rows;
  readonly #view: AgentView;
  readonly #features: FeatureSettings;
  readonly #rewardScale: number;
  readonly #action: Action;
  readonly #raw: Float32Array;
  readonly #rewards: Float32Array;

  /** @param rewardScale what Eq. (19) is multiplied by for the learner, so that its values are of the order of 1 */
  constructor(community: Community, view: AgentView, rewardScale: number) {
    this.community = community;
    this.shape = rowsOf(view, community);
    this.#view = view;
    this.#features = { observation: community.settings.readings.observation, networks: view.networks };
    this.#rewardScale = rewardScale;
    this.#action = emptyAction(count(community.deviceCount));
    this.#raw = new Float32Array(3 * community.deviceCount);
    this.#rewards = new Float32Array(this.shape.rows * this.shape.values);
  }

  /** What an agent sees now. @param state [rows, features], filled */
  observe(state: Float32Array, observation: Observation = this.community.observation): void {
    const { communitySettings, settings } = this.community;
    writeFeatures(this.#features, observation, communitySettings, settings.deadline, state);
  }

  /** What an agent's action means. @param raw [rows, actions] */
  decode(raw: Float32Array, observation: Observation, action: Action): void {
    if (this.#view.networks === "flat") {
      decodeAction(raw, observation, action);
      return;
    }
    // A row of each device becomes a row of each of α, w and β.
    const n = this.community.deviceCount;
    for (let j = 0; j < n; j++) for (let k = 0; k < 3; k++) this.#raw[k * n + j] = raw[3 * j + k] as number;
    decodeAction(this.#raw, observation, action);
  }

  /**
   * Acts for a sub-slot.
   *
   * @param raw [rows, actions]
   * @returns [rows, values] scaled rewards, filled again by the next call, and whether the epoch is over
   */
  step(raw: Float32Array): { readonly rewards: Float32Array; readonly truncated: boolean } {
    this.decode(raw, this.community.observation, this.#action);
    const { rewards, reward, truncated } = this.community.step(this.#action);
    if (this.#rewards.length === 1) this.#rewards[0] = (reward * this.#rewardScale) / this.community.deviceCount;
    else for (let j = 0; j < rewards.length; j++) this.#rewards[j] = (rewards[j] as number) * this.#rewardScale;
    return { rewards: this.#rewards, truncated };
  }

  /** An agent as a policy: what it thinks best. */
  policyOf(name: string, agent: Pick<Agent, "act">): Policy {
    const state = new Float32Array(this.shape.rows * this.shape.features);
    const raw = new Float32Array(this.shape.rows * this.shape.actions);
    return {
      name,
      decide: (observation, action) => {
        this.observe(state, observation);
        agent.act(state, raw);
        this.decode(raw, observation, action);
      },
    };
  }
}
