import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { decodeSafetensors, encodeSafetensors } from "@offloadlab/learning";
import { settingsToFile } from "@offloadlab/model";
import { Failure, messageOf } from "@offloadlab/protocol";
import { type Trained, type Trainer, trainHere } from "@offloadlab/records";

/**
 * Trains what has not been trained, and keeps it: one training serves all trials and all sweeps that need the same.
 *
 * A file `<digest>.safetensors` holds the networks of each community as `<index>.<network>` and, in its metadata, how they
 * were learned; the digest is of world, settings, seed and code.
 *
 * @param commit of the code: another one's trainings are others
 */
export const keptTrainings =
  (folder: string, commit: string): Trainer =>
  async (world, settings, seed, onEpoch) => {
    const key = JSON.stringify({ commit, seed, settings, world: settingsToFile(world) });
    const file = join(folder, `${createHash("sha256").update(key).digest("hex").slice(0, 16)}.safetensors`);
    const bytes = await readFile(file).catch(() => undefined);
    if (bytes !== undefined) return decoded(bytes, key, file);
    const trained = await trainHere(world, settings, seed, onEpoch);
    await mkdir(folder, { recursive: true });
    await writeWhole(file, encoded(trained, key));
    return trained;
  };

const encoded = ({ weights, ...learned }: Trained, key: string): Uint8Array => {
  const tensors = weights.flatMap((networks, index) =>
    Object.entries(networks).map(([name, values]) => [`${index}.${name}`, values] as const),
  );
  return encodeSafetensors({
    tensors: Object.fromEntries(tensors),
    metadata: { key, learned: JSON.stringify(learned) },
  });
};

const decoded = (bytes: Uint8Array, key: string, file: string): Trained => {
  try {
    const { tensors, metadata } = decodeSafetensors(bytes);
    if (metadata["key"] !== key) throw new RangeError("Expected another training");
    const weights: Record<string, Float32Array>[] = [];
    for (const [name, values] of Object.entries(tensors)) {
      const dot = name.indexOf(".");
      const index = Number(name.slice(0, dot));
      weights[index] = { ...weights[index], [name.slice(dot + 1)]: values };
    }
    return { weights, ...(JSON.parse(metadata["learned"] ?? "") as Omit<Trained, "weights">) };
  } catch (error) {
    throw new Failure("archive/damaged", `${file}: ${messageOf(error)}; remove it, and it is trained again`, {
      cause: error,
    });
  }
};

/** There whole or not at all, whichever processes write it. */
const writeWhole = async (file: string, bytes: Uint8Array): Promise<void> => {
  const part = `${file}.${process.pid}.part`;
  const handle = await open(part, "w");
  await handle.writeFile(bytes);
  await handle.sync();
  await handle.close();
  await rename(part, file);
};
