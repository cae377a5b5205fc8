import { type FederationReadings, type FederationSettings, mcfTd3, pfrOa } from "@offloadlab/federation";
import { type Td3Settings, td3Defaults } from "@offloadlab/learning";
import { count } from "@offloadlab/units";
import type { AgentView } from "./agent-translator.ts";

/** The paper's learners: its own, and the four that it is compared with. */
export const methods = ["dqn", "ddpg", "td3", "mcf-td3", "pfr-oa"] as const;
export type Method = (typeof methods)[number];

/** How agents of all communities are trained. */
export interface TrainingSettings extends AgentView {
  readonly method: Method;
  /** P */
  readonly epochs: number;
  /** Epochs at the start in which agents act at random and do not learn. */
  readonly randomEpochs: number;
  /** Updates after each sub-slot, at least 1. */
  readonly updatesPerSubSlot: number;
  readonly agent: Td3Settings;
  /** Undefined where communities learn apart. */
  readonly federation: FederationSettings | undefined;
  /** The first epoch of communities that join later than the others, by name, from 1. */
  readonly joins?: Readonly<Record<string, number>>;
}

/** Rounds in runs of some dozens of epochs; the paper has f_p = 50 in runs of a thousand. */
const federateEvery = count(10);

/** A hundredth of the published step: with 0.1 a single rise of the loss holds agents to the first rule they found. */
const proximal = { ...pfrOa.proximal, step: 0.001 };

const federations: Readonly<Record<Method, FederationSettings | undefined>> = {
  dqn: undefined,
  ddpg: undefined,
  td3: undefined,
  "mcf-td3": { ...mcfTd3, federateEvery },
  "pfr-oa": { ...pfrOa, proximal, federateEvery },
};

/** What learned best of all that was tried: `set` networks, a value for each device. */
const recommended = (method: Method, epochs: number): TrainingSettings => ({
  method,
  networks: "set",
  values: "device",
  epochs,
  randomEpochs: Math.min(4, Math.floor(epochs / 2)),
  updatesPerSubSlot: 1,
  agent: td3Defaults,
  federation: federations[method],
});

/** §V-A's own settings, where it gives them: one flat network, one value, γ = 0.995, τ = 1e-4, ρ = 0.1, N = 256, f_p = 50. */
const literal = (method: Method, epochs: number): TrainingSettings => {
  return {
    ...recommended(method, epochs),
    networks: "flat",
    values: "team",
    randomEpochs: 4,
    agent: {
      ...td3Defaults,
      pooled: false,
      hidden: 128,
      discount: 0.995,
      learningRate: 1e-4,
      targetShare: 0.1,
      batchSize: 256,
      randomActionProbability: 0,
      saturationPenalty: 0,
      bufferCapacity: 100_000,
    },
    federation: method === "pfr-oa" ? pfrOa : method === "mcf-td3" ? mcfTd3 : undefined,
  };
};

/** How the paper's algorithms are read where their text leaves room; what is not said is read as the defaults do. */
export type LearningReadings = Partial<FederationReadings & Pick<Td3Settings, "actorTurns">>;

/** How a method is trained that a user has chosen. */
export const trainingSettings = (
  method: Method,
  choice: {
    readonly epochs: number;
    readonly networks: AgentView["networks"];
    /** What learned best, or the paper's own where it gives them. */
    readonly hyperparameters: "recommended" | "paper";
    readonly readings?: LearningReadings;
  },
): TrainingSettings => {
  const { epochs, networks, hyperparameters, readings = {} } = choice;
  const { actorTurns = td3Defaults.actorTurns, ...ofFederation } = readings;
  const base = hyperparameters === "paper" ? literal(method, epochs) : recommended(method, epochs);
  const federation = base.federation === undefined ? undefined : { ...base.federation, ...ofFederation };
  return { ...base, networks, agent: { ...base.agent, pooled: networks === "set", actorTurns }, federation };
};
