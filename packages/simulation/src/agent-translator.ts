import { decodeRows, type FeatureSettings, featureCount, type Rows, writeFeatures } from "@offloadlab/learning";
import { type Action, type CommunitySettings, communityAt, type Observation, type Settings } from "@offloadlab/model";

/** How an agent sees a community. */
export interface AgentView {
  /** `set`: a row for each device and weights that all rows share; `flat`: one row for the community. */
  readonly networks: FeatureSettings["networks"];
  /** Of `flat`: whether the community has one value and the sum of all rewards, or each device its own. */
  readonly values: "team" | "device";
}

/** Rewards of a failure come to this for a learner, whatever q_p is. */
const scaledPenalty = 3;

/** What a state, an action and a reward of a community look like for an agent. */
const rowsOf = ({ networks, values }: AgentView, { readings }: Settings, deviceCount: number): Rows => {
  const features = featureCount({ observation: readings.observation, networks }, deviceCount);
  return networks === "set"
    ? { rows: deviceCount, features, actions: 3, values: 1 }
    : { rows: 1, features, actions: 3 * deviceCount, values: values === "team" ? 1 : deviceCount };
};

/** Translates between a community and an agent: what is seen, what is done, what it earns. Simulator and laboratory alike. */
export class AgentTranslator {
  readonly shape: Rows;
  readonly #view: AgentView;
  readonly #settings: Settings;
  readonly #community: CommunitySettings;
  readonly #features: FeatureSettings;
  readonly #raw: Float32Array;

  /** @throws RangeError when the settings have no such community */
  constructor(view: AgentView, settings: Settings, communityIndex: number) {
    this.#view = view;
    this.#settings = settings;
    this.#community = communityAt(settings, communityIndex);
    this.shape = rowsOf(view, settings, this.#community.deviceCount);
    this.#features = { observation: settings.readings.observation, networks: view.networks };
    this.#raw = new Float32Array(3 * this.#community.deviceCount);
  }

  /** What an agent sees. @param state [rows, features], filled */
  observe(observation: Observation, state: Float32Array): void {
    writeFeatures(this.#features, observation, this.#community, this.#settings.deadline, state);
  }

  /** What an agent's action means. @param raw [rows, actions] */
  decode(raw: Float32Array, observation: Observation, action: Action): void {
    decodeRows(this.#view.networks, raw, this.#raw, observation, action);
  }

  /**
   * What an agent earns, scaled so that its values are of the order of 1.
   *
   * @param rewards [n] sums of Eq. (19) by device
   * @param earned [rows, values], filled
   */
  earn(rewards: ArrayLike<number>, earned: Float32Array): void {
    const n = this.#community.deviceCount;
    const scale = scaledPenalty / this.#community.demand.success;
    if (earned.length !== 1) for (let j = 0; j < n; j++) earned[j] = (rewards[j] as number) * scale;
    else {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += rewards[j] as number;
      earned[0] = (sum * scale) / n;
    }
  }
}
