import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type AgentWeights,
  decodeSafetensors,
  encodeSafetensors,
  type Proximal,
  type Tensors,
} from "@offloadlab/learning";
import { writeDurably } from "@offloadlab/records";

/** What a round has left a server with. */
export interface Adopted {
  readonly run: string;
  readonly round: number;
  /** `Content-Digest` of the global model. */
  readonly digest: string;
  /** Of the weights that it was mixed with. */
  readonly localDigest: string;
  readonly globalShare: number;
  /** θ_i after the round. */
  readonly weights: AgentWeights;
  /** θ_f and λ. */
  readonly proximal: Proximal;
  /** Whether the learner's targets and moments begin again from the weights. */
  readonly startsAnew: boolean;
}

/** An update as it goes over the network, again and again until it has arrived. */
export interface PendingUpdate {
  readonly round: number;
  readonly bytes: Uint8Array;
}

/** What a server's federation has on its disk: each file whole, or as it was before. */
export class FederationMemory {
  readonly #folder: string;

  /** @param folder of one run and policy */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async keepAdopted({ weights, proximal, ...adopted }: Adopted): Promise<void> {
    const tensors = { ...prefixed(ownPrefix, weights), ...prefixed(globalPrefix, proximal.weights) };
    const text = JSON.stringify({ ...adopted, lambdas: proximal.lambdas });
    await this.#write(adoptedName, encodeSafetensors({ tensors, metadata: { adopted: text } }));
  }

  /** undefined before the first round. */
  async adopted(): Promise<Adopted | undefined> {
    const bytes = await this.#read(adoptedName);
    if (bytes === undefined) return undefined;
    const { tensors, metadata } = decodeSafetensors(bytes);
    const { lambdas, ...adopted } = JSON.parse(metadata["adopted"] ?? "") as Omit<Adopted, "weights" | "proximal"> & {
      lambdas: Proximal["lambdas"];
    };
    return {
      ...adopted,
      weights: withoutPrefix(ownPrefix, tensors),
      proximal: { lambdas, weights: withoutPrefix(globalPrefix, tensors) },
    };
  }

  async keepUpdate({ round, bytes }: PendingUpdate): Promise<void> {
    await this.#write(updateName(round), bytes);
    // The one before is no longer asked for once a later round is open.
    await rm(join(this.#folder, updateName(round - 1)), { force: true });
  }

  /** The update of a round, when one was made. */
  async update(round: number): Promise<PendingUpdate | undefined> {
    const bytes = await this.#read(updateName(round));
    return bytes === undefined ? undefined : { round, bytes };
  }

  async #write(name: string, bytes: Uint8Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await writeDurably(join(this.#folder, name), bytes);
  }

  #read(name: string): Promise<Buffer | undefined> {
    return readFile(join(this.#folder, name)).catch(() => undefined);
  }
}

const adoptedName = "adopted.safetensors";
const updateName = (round: number): string => `update-${round}.safetensors`;
const ownPrefix = "own/";
const globalPrefix = "global/";

const prefixed = (prefix: string, weights: AgentWeights): Tensors =>
  Object.fromEntries(Object.entries(weights).map(([name, network]) => [`${prefix}${name}`, network]));

const withoutPrefix = (prefix: string, tensors: Tensors): AgentWeights =>
  Object.fromEntries(
    Object.entries(tensors).flatMap(([name, network]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), network] as const] : [],
    ),
  );
