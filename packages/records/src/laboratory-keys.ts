import type { Count } from "@offloadlab/units";
import { type Static, Type } from "typebox";

/** How learned policies go on learning while the laboratory runs. */
export const LearningFile = Type.Object(
  {
    /** `trained`: with what the simulator taught them; `scratch`: with random networks. */
    from: Type.Optional(Type.Enum(["trained", "scratch"])),
    /** Whether they explore, Alg. 1, line 10; without it they do what they think best, and learn from that. */
    explore: Type.Optional(Type.Boolean()),
    /** What computes updates. */
    engine: Type.Optional(Type.Enum(["onnx", "tfjs"])),
    /** f_p of methods that are federated: trials of one between two rounds; as in its training when it is not given. */
    federate_every: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  { additionalProperties: false },
);

/** Keys of a manifest that concern laboratories, rehearsed or real; a simulator has no use for them. */
export const laboratoryKeys = {
  /** Learned policies go on learning during the run; without it they stay as they are. */
  learning: Type.Optional(LearningFile),
  /** Whether T^tr of leases is Eq. (2)'s, or corrected by what uploads of the device have taken. */
  link: Type.Optional(Type.Enum(["theoretical", "corrected"])),
  /** Real rate over Eq. (1)'s by device, for rehearsals: what the theory is not told. */
  uplink_rate_ratio: Type.Optional(Type.Record(Type.String(), Type.Number({ exclusiveMinimum: 0 }))),
};

export interface LearningChoice {
  readonly from: "trained" | "scratch";
  readonly explore: boolean;
  readonly engine: "onnx" | "tfjs";
  /** f_p; null as in the training. */
  readonly federateEvery: Count | null;
}

/** What a manifest says of the laboratory alone. */
export interface LaboratoryChoice {
  /** null: learned policies stay as they are. */
  readonly learning: LearningChoice | null;
  readonly link: "theoretical" | "corrected";
  /** Real rate over Eq. (1)'s, of the devices where they differ. */
  readonly uplinkRateRatios: Readonly<Record<string, number>>;
}

const learningChoice = ({ federate_every: every, ...file }: Static<typeof LearningFile>): LearningChoice =>
  ({ from: "trained", explore: true, engine: "onnx", ...file, federateEvery: every ?? null }) as LearningChoice;

export const laboratoryChoice = (file: {
  readonly learning?: Static<typeof LearningFile>;
  readonly link?: "theoretical" | "corrected" | string;
  readonly uplink_rate_ratio?: Readonly<Record<string, number>>;
}): LaboratoryChoice => ({
  learning: file.learning === undefined ? null : learningChoice(file.learning),
  link: file.link === "corrected" ? "corrected" : "theoretical",
  uplinkRateRatios: file.uplink_rate_ratio ?? {},
});
