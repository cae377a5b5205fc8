import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { communityColumns, deviceColumns, type ObservationLayout } from "./columns.ts";
import { PolicyProblem } from "./problem.ts";

const closed = { additionalProperties: false };
const text = Type.String({ minLength: 1 });

const column = <Name extends string>(names: readonly Name[]) =>
  Type.Object(
    {
      name: Type.Enum([...names]),
      divisor: Type.Number({ exclusiveMinimum: 0 }),
      limit: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    },
    closed,
  );

const CardFile = Type.Object(
  {
    format: Type.Literal(1),
    /** What it is, for people. */
    name: text,
    model: Type.Object(
      {
        sha256: Type.String({ pattern: "^[0-9a-f]{64}$" }),
        /** The model's input, [rows, columns] of float32. */
        input: Type.Optional(text),
        /** The model's output, [n, 3] for `set` and [1, 3 n] for `flat`, of float32. */
        output: Type.Optional(text),
      },
      closed,
    ),
    observation: Type.Object(
      {
        networks: Type.Enum(["set", "flat"]),
        /** Only for as many devices; null for any number, which only a `set` can. */
        device_count: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
        device_columns: Type.Array(column(Object.keys(deviceColumns) as (keyof typeof deviceColumns)[])),
        community_columns: Type.Array(column(Object.keys(communityColumns) as (keyof typeof communityColumns)[])),
      },
      closed,
    ),
    /** How the output is read: always so, said for people. */
    action: Type.Optional(Type.Unknown()),
    /** Where it comes from and how good it was: nothing depends on it. */
    training: Type.Optional(Type.Unknown()),
  },
  closed,
);
type CardFile = Static<typeof CardFile>;
const validator = Compile(CardFile);

/** What must be known of a model to let it decide: the contract between a policy's file and whoever runs it. */
export interface PolicyCard {
  readonly name: string;
  readonly sha256: string;
  readonly input: string;
  readonly output: string;
  /** n of a model that decides for no other number of devices. */
  readonly deviceCount: number | undefined;
  readonly observation: ObservationLayout;
  /** As in the file, for people. */
  readonly training: unknown;
}

/** Names of a model's input and output, unless its card says others. */
export const usualInput = "features";
export const usualOutput = "action";

/** The card of a model: `policies/R1.card.json` of `policies/R1.onnx`. */
export const cardPathOf = (model: string): string => model.replace(/\.onnx$/, ".card.json");

/**
 * Reads a card.
 *
 * @param file its name, for the problems
 * @throws PolicyProblem with every problem
 */
export const readCard = (content: string, file: string): PolicyCard => {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw new PolicyProblem(`${file}: expected a policy's card in JSON, ${(error as Error).message}`);
  }
  if (!validator.Check(value)) {
    const problems = [...validator.Errors(value)].map(({ instancePath, message, keyword, params }) => {
      const path = instancePath.split("/").slice(1).join(".") || "the card";
      const allowed = keyword === "enum" ? `must be one of ${params.allowedValues.join(", ")}` : message;
      return `${file}: \`${path}\` ${allowed}`;
    });
    throw new PolicyProblem([...new Set(problems)].join("\n"));
  }
  return cardOf(value, file);
};

const cardOf = ({ name, model, observation, training }: CardFile, file: string): PolicyCard => {
  const { networks, device_count: deviceCount, device_columns, community_columns } = observation;
  if (networks === "flat" && deviceCount === null) {
    throw new PolicyProblem(`${file}: \`observation.device_count\` must be a number for flat networks, got null`);
  }
  return {
    name,
    sha256: model.sha256,
    input: model.input ?? usualInput,
    output: model.output ?? usualOutput,
    deviceCount: deviceCount ?? undefined,
    observation: {
      networks: networks as ObservationLayout["networks"],
      deviceColumns: device_columns as ObservationLayout["deviceColumns"],
      communityColumns: community_columns as ObservationLayout["communityColumns"],
    },
    training,
  };
};
