import type { AgentSnapshot } from "./agent.ts";
import type { ReplayBuffer } from "./replay-buffer.ts";
import type { TrainedNetworks } from "./trained-networks.ts";

/** What an agent has learned and remembers. @param counts what else it counts */
export const snapshotOf = (
  networks: TrainedNetworks,
  buffer: ReplayBuffer,
  counts: AgentSnapshot["counts"] = {},
): AgentSnapshot => {
  const learned = networks.snapshot();
  const { pushed, data } = buffer.snapshot();
  return { arrays: { ...learned.arrays, buffer: data }, counts: { ...learned.counts, ...counts, pushed } };
};

/** @throws RangeError when the snapshot is of other networks, or of another buffer */
export const restoreFrom = (snapshot: AgentSnapshot, networks: TrainedNetworks, buffer: ReplayBuffer): void => {
  const { arrays, counts } = snapshot;
  networks.restore(snapshot);
  buffer.restore({ pushed: counts["pushed"] ?? 0, data: arrays["buffer"] ?? new Float32Array(0) });
};
