import type { LiveEpoch, LiveFederation, LiveRoundMember } from "@offloadlab/protocol";

/** Columns of a chart: x, then a line for each community. */
export type Columns = [number[], ...(number | null)[][]];

/** Reward per task of a policy, by community, over its epochs from 1. */
export const learningCurve = (epochs: readonly LiveEpoch[], policy: string, communities: number): Columns => {
  const own = epochs.filter((epoch) => epoch.policy === policy);
  const line = (index: number): (number | null)[] => own.map(({ rewardPerTask }) => rewardPerTask[index] ?? null);
  return [own.map((_, i) => i + 1), ...Array.from({ length: communities }, (_, index) => line(index))];
};

/** Policies that learn, in the order of their first trials. */
export const learningPolicies = (epochs: readonly LiveEpoch[]): string[] => [
  ...new Set(epochs.map(({ policy }) => policy)),
];

/** Something of each server, over the rounds. */
export const overRounds = (
  { nodes, rounds }: LiveFederation,
  of: (member: LiveRoundMember) => number | null,
): Columns => {
  const line = (index: number): (number | null)[] =>
    rounds.map(({ members }) => {
      const member = members[index];
      return member === undefined ? null : of(member);
    });
  return [rounds.map(({ round }) => round), ...nodes.map((_, index) => line(index))];
};

/** Mean un-penalised loss of a server's critics; null when it sent none, or one that is not finite. */
export const criticLoss = ({ losses }: LiveRoundMember): number | null => {
  const critics = Object.entries(losses).filter(([network]) => network.startsWith("critic"));
  const known = critics.flatMap(([, loss]) => (loss === null ? [] : [loss]));
  return known.length === 0 || known.length < critics.length ? null : known.reduce((a, b) => a + b, 0) / known.length;
};

/** λ of a server's actor; null of a round that was skipped. */
export const actorLambda = ({ proximalWeights }: LiveRoundMember): number | null => proximalWeights["actor"] ?? null;

/** Bytes that a round's updates and its global model came to, sent to every server. */
export const roundBytes = ({ nodes }: LiveFederation, round: LiveFederation["rounds"][number]): number =>
  round.members.reduce((sum, { uploadBytes }) => sum + uploadBytes, 0) + nodes.length * round.modelBytes;

/** `1.2 MB`, decimal. */
export const bytesText = (bytes: number): string => {
  if (bytes < 1e3) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
};

/** `2 update/late, 1 wire/malformed` of a node; undefined when nothing was refused. */
export const refusalText = ({ refusals }: LiveFederation): string | undefined => {
  const parts = Object.entries(refusals).flatMap(([node, codes]) =>
    Object.entries(codes).map(([code, times]) => `${times} × ${code} of ${node}`),
  );
  return parts.length === 0 ? undefined : parts.join(", ");
};
