import { decodeSafetensors, encodeSafetensors } from "@offloadlab/learning";
import type { TrainingSnapshot } from "./training.ts";

/** What of a snapshot is no array, as the file's metadata has it. */
type Rest = Omit<TrainingSnapshot, "agents" | "globalWeights"> & {
  readonly counts: readonly Readonly<Record<string, number>>[];
  readonly hasGlobal: boolean;
};

/** A snapshot as a safetensors file: arrays as tensors `agent.<community>.<name>` and `global.<name>`, the rest as JSON. */
export const encodeTraining = (snapshot: TrainingSnapshot): Uint8Array<ArrayBuffer> => {
  const { agents, globalWeights, ...others } = snapshot;
  const arrays = agents.flatMap(({ arrays }, community) =>
    Object.entries(arrays).map(([name, values]) => [`agent.${community}.${name}`, values] as const),
  );
  const global = Object.entries(globalWeights ?? {}).map(([name, values]) => [`global.${name}`, values] as const);
  const rest: Rest = { ...others, counts: agents.map(({ counts }) => counts), hasGlobal: globalWeights !== undefined };
  return encodeSafetensors({
    tensors: Object.fromEntries([...arrays, ...global]),
    metadata: { training: JSON.stringify(rest) },
  });
};

/**
 * Reads what `encodeTraining` wrote.
 *
 * @throws RangeError when the bytes are no such file
 */
export const decodeTraining = (bytes: Uint8Array): TrainingSnapshot => {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const text = metadata["training"];
  if (text === undefined) throw new RangeError("Expected the file of a training, got other tensors");
  const { counts, hasGlobal, ...others } = JSON.parse(text) as Rest;
  const under = (prefix: string): Record<string, Float32Array> =>
    Object.fromEntries(
      Object.entries(tensors).flatMap(([name, values]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), values] as const] : [],
      ),
    );
  return {
    ...others,
    agents: counts.map((each, community) => ({ arrays: under(`agent.${community}.`), counts: each })),
    globalWeights: hasGlobal ? under("global.") : undefined,
  };
};
