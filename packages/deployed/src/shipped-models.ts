import { communityAt, type Settings } from "@offloadlab/model";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { cardPathOf } from "./card.ts";
import type { PolicyFiles } from "./policy-file.ts";
import { PolicyProblem } from "./problem.ts";
import { bytesOf, modelFile } from "./source.ts";

/** The models of a policy from outside with their cards, by the names of the communities. */
export type ShippedModels = ReadonlyMap<string, PolicyFiles>;

const closed = { additionalProperties: false };
/** Each file once, though all communities may have the same. */
const ShippedFile = Type.Object(
  {
    format: Type.Literal(1),
    /** Models in Base64, cards as they are. */
    files: Type.Array(Type.Object({ model: Type.String(), card: Type.String() }, closed)),
    /** By community, which of the files is its. */
    communities: Type.Record(Type.String(), Type.Integer({ minimum: 0 })),
  },
  closed,
);
const validator = Compile(ShippedFile);

/**
 * A policy's models and cards as one file, which goes with a run to its servers and stays in its archive.
 *
 * @param location an .onnx file for all communities, or a folder with one for each
 * @throws PolicyProblem when a file is missing
 */
export const shipModels = (location: string, settings: Settings): Uint8Array<ArrayBuffer> => {
  const names = settings.communities.map((_, index) => communityAt(settings, index).name);
  const places = [...new Set(names.map((name) => modelFile(location, name)))];
  const files = places.map((place) => ({
    model: Buffer.from(bytesOf(place)).toString("base64"),
    card: new TextDecoder().decode(bytesOf(cardPathOf(place))),
  }));
  const communities = Object.fromEntries(names.map((name) => [name, places.indexOf(modelFile(location, name))]));
  const shipped: Static<typeof ShippedFile> = { format: 1, files, communities };
  return new TextEncoder().encode(`${JSON.stringify(shipped, null, 1)}\n`);
};

/** @throws PolicyProblem when it is not what `shipModels` makes */
export const shippedModels = (bytes: Uint8Array): ShippedModels => {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new PolicyProblem(`expected shipped models in JSON, ${(error as Error).message}`, { cause: error });
  }
  if (!validator.Check(value)) throw new PolicyProblem("expected models with their cards, got something else");
  const { files, communities } = value;
  return new Map(
    Object.entries(communities).map(([name, index]) => {
      const file = files[index];
      if (file === undefined) throw new PolicyProblem(`expected a model for ${name}, got ${files.length} files`);
      return [name, { model: new Uint8Array(Buffer.from(file.model, "base64")), card: file.card }];
    }),
  );
};
