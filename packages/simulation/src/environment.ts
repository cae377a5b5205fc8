/** What a step of an environment says. */
export interface Step {
  /** Sum of `rewards`. */
  readonly reward: number;
  /** [n] each agent's own. */
  readonly rewards: Float64Array;
  /** Nothing can happen any more: no value comes after this state. */
  readonly terminated: boolean;
  /** A time limit was reached: the world goes on, so a learner bootstraps from this state. */
  readonly truncated: boolean;
}

/** A world in which an agent acts, with the conventions of Gymnasium's. */
export interface Environment<Observation, Action> {
  /** Begins an episode; the same seed begins the same one. */
  reset(seed: number): Observation;
  /** Acts; the new observation is in `observation`. */
  step(action: Action): Step;
  /** The current observation. */
  readonly observation: Observation;
}
