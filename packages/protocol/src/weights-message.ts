import { type AgentWeights, decodeSafetensors, encodeSafetensors, sortedByName } from "@offloadlab/learning";
import { contentDigest } from "@offloadlab/records";
import { Failure, messageOf } from "./failure.ts";
import { readUpdateReport, type UpdateReport } from "./federation-messages.ts";
import { parseJson } from "./schema.ts";

/** Float32 numbers of each network. */
export type Shapes = Readonly<Record<string, number>>;

/** Weights as they cross the network, with what their sender says of them. */
export interface WeightsUpdate {
  readonly report: UpdateReport;
  /** Empty of a learner that has diverged. */
  readonly weights: AgentWeights;
}

/** Room for a header with names, offsets and the report. */
const headerBytes = 64 * 1024;

/**
 * Asserts that bytes are those that a `Content-Digest` was made of.
 *
 * @throws Failure `update/digest` when they are not, or there is none
 */
export const checkDigest = (bytes: Uint8Array, declared: string | undefined, where: string): void => {
  const got = contentDigest(bytes);
  if (declared === got) return;
  throw new Failure("update/digest", `${where}: expected a Content-Digest of ${got}, got ${declared ?? "none"}`);
};

/** The largest body that weights of these shapes can have. */
export const largestWeights = (shapes: Shapes): number =>
  headerBytes + Object.values(shapes).reduce((sum, size) => sum + Float32Array.BYTES_PER_ELEMENT * size, 0);

export const encodeUpdate = ({ report, weights }: WeightsUpdate): Uint8Array<ArrayBuffer> =>
  encodeSafetensors({ tensors: sortedByName(weights), metadata: { report: JSON.stringify(report) } });

/**
 * Reads weights of the given shapes.
 *
 * @throws Failure `wire/malformed` for what is not safetensors, `update/shape` for other networks, `update/not-finite`
 */
export const decodeWeights = (bytes: Uint8Array, shapes: Shapes, where: string): AgentWeights => {
  const { tensors } = read(bytes, where);
  checkWeights(tensors, shapes, where);
  return tensors;
};

/**
 * Reads what a MEC has uploaded.
 *
 * @throws Failure as `decodeWeights`
 */
export const decodeUpdate = (bytes: Uint8Array, shapes: Shapes, where: string): WeightsUpdate => {
  const { tensors, metadata } = read(bytes, where);
  const place = `${where}: report`;
  const report = readUpdateReport(parseJson(metadata["report"] ?? "", place), place);
  checkWeights(tensors, report.diverged ? {} : shapes, where);
  return { report, weights: tensors };
};

const read = (bytes: Uint8Array, where: string) => {
  try {
    return decodeSafetensors(bytes);
  } catch (error) {
    throw new Failure("wire/malformed", `${where}: ${messageOf(error)}`, { cause: error });
  }
};

const checkWeights = (weights: AgentWeights, shapes: Shapes, where: string): void => {
  const shown = (list: Shapes): string =>
    Object.entries(list)
      .map(([name, size]) => `${name} [${size}]`)
      .sort()
      .join(", ") || "none";
  const got = shown(Object.fromEntries(Object.entries(weights).map(([name, { length }]) => [name, length])));
  if (got !== shown(shapes)) {
    throw new Failure("update/shape", `${where}: expected the networks ${shown(shapes)}, got ${got.slice(0, 300)}`);
  }
  for (const [name, network] of Object.entries(weights)) {
    const at = network.findIndex((weight) => !Number.isFinite(weight));
    if (at >= 0) {
      throw new Failure(
        "update/not-finite",
        `${where}: expected finite weights, got ${network[at]} in \`${name}\` at ${at}`,
      );
    }
  }
};
