import {
  type Agent,
  type AgentSnapshot,
  decodeSafetensors,
  type Engine,
  encodeSafetensors,
} from "@offloadlab/learning";
import type { Settings } from "@offloadlab/model";
import type { Policy } from "@offloadlab/policies";
import { AgentTranslator } from "./agent-translator.ts";
import { agentPolicy } from "./agent-world.ts";
import { agentFor, type Training } from "./training.ts";
import type { TrainingSettings } from "./training-settings.ts";

/**
 * What a training has made, as a laboratory deploys it: the agent of each community, with the last of what it remembers.
 *
 * Without any memory, the first updates in a laboratory would learn from a handful of transitions that are much alike.
 */
export interface Deployment {
  readonly settings: TrainingSettings;
  readonly seed: number;
  /** Epochs of the training. */
  readonly epochs: number;
  /** [m] in the order of the communities */
  readonly agents: readonly AgentSnapshot[];
}

/** Transitions that a deployed agent takes along. */
const memory = 2000;

/** What a training has made so far. */
export const deploymentOf = ({ settings, seed, epoch, agents }: Training): Deployment => ({
  settings,
  seed,
  epochs: epoch,
  agents: agents.map((agent) => withShortMemory(agent.snapshot(), settings.agent.bufferCapacity)),
});

/** @param capacity of the buffer, which begins anew at its start when it is full */
const withShortMemory = ({ arrays, counts }: AgentSnapshot, capacity: number): AgentSnapshot => {
  const { buffer = new Float32Array(0) } = arrays;
  const { pushed = 0 } = counts;
  const kept = Math.min(pushed, capacity, memory);
  const width = kept === 0 ? 0 : buffer.length / Math.min(pushed, capacity);
  const last = new Float32Array(kept * width);
  for (let i = 0; i < kept; i++) {
    const from = ((pushed - kept + i) % capacity) * width;
    last.set(buffer.subarray(from, from + width), i * width);
  }
  return { arrays: { ...arrays, buffer: last }, counts: { ...counts, pushed: kept } };
};

/**
 * The agent of a community, as it was deployed.
 *
 * @throws RangeError when the deployment is for other communities, or for as many devices as there are not
 */
export const deployedAgent = (
  { settings, seed, agents }: Deployment,
  engine: Engine,
  world: Settings,
  communityIndex: number,
): { readonly agent: Agent; readonly translator: AgentTranslator } => {
  const snapshot = agents[communityIndex];
  if (snapshot === undefined) {
    throw new RangeError(`Expected agents of ${world.communities.length} communities, got ${agents.length}`);
  }
  const translator = new AgentTranslator(settings, world, communityIndex);
  const agent = agentFor(settings, engine, translator.shape, seed, seed + communityIndex);
  agent.restore(snapshot);
  return { agent, translator };
};

/** A deployed agent as a policy that stays as it is. @throws RangeError as `deployedAgent` */
export const deployedPolicy = (
  name: string,
  deployment: Deployment,
  engine: Engine,
  world: Settings,
  communityIndex: number,
): Policy => {
  const { agent, translator } = deployedAgent(deployment, engine, world, communityIndex);
  return agentPolicy(name, translator, agent);
};

/** A deployment as a safetensors file: arrays as tensors `<community>.<name>`, the rest as JSON. */
export const encodeDeployment = ({ agents, ...rest }: Deployment): Uint8Array<ArrayBuffer> => {
  const tensors = agents.flatMap(({ arrays }, community) =>
    Object.entries(arrays).map(([name, values]) => [`${community}.${name}`, values] as const),
  );
  const deployment = JSON.stringify({ ...rest, counts: agents.map(({ counts }) => counts) });
  return encodeSafetensors({ tensors: Object.fromEntries(tensors), metadata: { deployment } });
};

/**
 * Reads what `encodeDeployment` wrote.
 *
 * @throws RangeError when the bytes are no such file
 */
export const decodeDeployment = (bytes: Uint8Array): Deployment => {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const text = metadata["deployment"];
  if (text === undefined) throw new RangeError("Expected the file of deployed agents, got other tensors");
  const { counts, ...rest } = JSON.parse(text) as Omit<Deployment, "agents"> & {
    readonly counts: readonly AgentSnapshot["counts"][];
  };
  return {
    ...rest,
    agents: counts.map((each, community) => ({
      arrays: Object.fromEntries(
        Object.entries(tensors).flatMap(([name, values]) =>
          name.startsWith(`${community}.`) ? [[name.slice(`${community}.`.length), values] as const] : [],
        ),
      ),
      counts: each,
    })),
  };
};
