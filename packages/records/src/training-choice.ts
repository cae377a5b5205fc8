import type { FederationSettings } from "@offloadlab/federation";
import { type LearningReadings, type Method, type TrainingSettings, trainingSettings } from "@offloadlab/simulation";
import { count, ratio } from "@offloadlab/units";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";

/** `training` of a manifest: how methods that learn are trained, before they are evaluated. */
export const TrainingFile = Type.Object(
  {
    /** P */
    epochs: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    networks: Type.Optional(Type.Enum(["set", "flat"])),
    /** What learned best, or the paper's own where it gives them. */
    hyperparameters: Type.Optional(Type.Enum(["recommended", "paper"])),
    /** How Algorithms 1 and 2 are read where their text leaves room. */
    readings: Type.Optional(
      Type.Object(
        {
          actor_turns: Type.Optional(Type.Enum(["updates", "epochs"])),
          ranking: Type.Optional(Type.Enum(["relative", "raw"])),
          picks: Type.Optional(Type.Enum(["distinct", "repeated"])),
          targets: Type.Optional(Type.Enum(["kept", "restarted"])),
        },
        { additionalProperties: false },
      ),
    ),
    /** Of Algorithm 2, instead of the method's own; methods whose communities learn apart have no use for it. */
    federation: Type.Optional(
      Type.Object(
        {
          /** V */
          participant_count: Type.Optional(Type.Union([Type.Integer({ minimum: 1 }), Type.Literal("all")])),
          /** ε */
          greedy_probability: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
          /** f_q */
          global_share_ratio: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
          /** f_p, epochs */
          federate_every: Type.Optional(Type.Integer({ minimum: 1 })),
          /** λ before the first round. */
          lambda_start: Type.Optional(Type.Number({ minimum: 0 })),
          /** How far λ moves after a round; 0 leaves it where it starts. */
          lambda_step: Type.Optional(Type.Number({ minimum: 0 })),
        },
        { additionalProperties: false },
      ),
    ),
    /** γ, instead of the hyperparameters'. */
    discount_ratio: Type.Optional(Type.Number({ minimum: 0, exclusiveMaximum: 1 })),
    /** τ, instead of the hyperparameters'. */
    learning_rate: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
    /** Epochs, from 1, in which communities begin to learn that are not there at the start, by their names. */
    joins: Type.Optional(Type.Record(Type.String(), Type.Integer({ minimum: 1, maximum: 1_000_000 }))),
    /** Whether methods are trained at each point, or once, in the world that the loop's values change. */
    at: Type.Optional(Type.Enum(["each-point", "base"])),
  },
  { additionalProperties: false },
);

type FederationChoice = NonNullable<Static<typeof TrainingFile>["federation"]>;

/** How a method is trained in each trial. */
export interface TrainingChoice {
  /** P */
  readonly epochs: number;
  readonly networks: "set" | "flat";
  /** What learned best, or the paper's own where it gives them. */
  readonly hyperparameters: "recommended" | "paper";
  readonly readings?: LearningReadings;
  readonly federation?: FederationChoice;
  /** γ */
  readonly discount?: number;
  /** τ */
  readonly learningRate?: number;
  /** The first epoch of communities that begin later than the others, by name. */
  readonly joins?: Readonly<Record<string, number>>;
}

/** The choice of a manifest's `training`, with loop values in it; undefined where it is none. */
export const trainingChoice = (file: unknown): TrainingChoice | undefined => {
  if (!Compile(TrainingFile).Check(file)) return undefined;
  const {
    epochs = 60,
    networks = "set",
    hyperparameters = "recommended",
    readings,
    federation,
    ...others
  } = file as Static<typeof TrainingFile>;
  const { discount_ratio: discount, learning_rate: learningRate, joins } = others;
  return {
    epochs,
    networks: networks as TrainingChoice["networks"],
    hyperparameters: hyperparameters as TrainingChoice["hyperparameters"],
    ...(readings === undefined ? {} : { readings: readingsOf(readings) }),
    ...(federation === undefined ? {} : { federation }),
    ...(discount === undefined ? {} : { discount }),
    ...(learningRate === undefined ? {} : { learningRate }),
    ...(joins === undefined ? {} : { joins }),
  };
};

const readingsOf = ({ actor_turns: actorTurns, ...others }: Readonly<Record<string, unknown>>): LearningReadings =>
  ({ ...others, ...(actorTurns === undefined ? {} : { actorTurns }) }) as LearningReadings;

/** All that a training of a method is told. */
export const settingsOf = (method: Method, choice: TrainingChoice): TrainingSettings => {
  const { discount, learningRate, joins, federation = {} } = choice;
  const settings = trainingSettings(method, choice);
  const agent = {
    ...settings.agent,
    ...(discount === undefined ? {} : { discount }),
    ...(learningRate === undefined ? {} : { learningRate }),
  };
  return {
    ...settings,
    agent,
    federation: settings.federation && federationOf(settings.federation, federation),
    ...(joins === undefined ? {} : { joins }),
  };
};

const federationOf = (own: FederationSettings, choice: FederationChoice): FederationSettings => {
  const { participant_count: participants = own.participantCount, lambda_start: start, lambda_step: step } = choice;
  return {
    ...own,
    participantCount: participants === "all" ? "all" : count(Number(participants)),
    greedyProbability: ratio(choice.greedy_probability ?? own.greedyProbability),
    globalShare: ratio(choice.global_share_ratio ?? own.globalShare),
    federateEvery: count(choice.federate_every ?? own.federateEvery),
    proximal: { ...own.proximal, start: start ?? own.proximal.start, step: step ?? own.proximal.step },
  };
};
