import { starvedCommunities } from "@offloadlab/federation";
import type { LiveFederation, LiveRound, LiveRoundMember } from "@offloadlab/protocol";
import type { FederationCourse, FederationSetup, NewRecord } from "@offloadlab/records";

/** Older rounds are in the archive; a page draws no more. */
const mostRounds = 200;

/** What is told of a federation while it lasts. @param records of the C-BS's journal, in their order */
export const federationView = (
  { policy, nodes, settings, shapes }: FederationSetup,
  records: readonly NewRecord[],
  refusals: LiveFederation["refusals"],
  course: FederationCourse,
  open: { readonly round: number; readonly deadlineInSeconds: number } | null,
): LiveFederation => {
  const rounds = roundsOf(nodes, records);
  const averaged = rounds.filter(({ state }) => state === "averaged").length;
  return {
    policy,
    nodes,
    networks: Object.keys(shapes),
    greedyProbability: settings.greedyProbability,
    globalShare: settings.globalShare,
    open: open === null ? null : { ...open, reported: reportedFor(open.round, records) },
    rounds: rounds.slice(-mostRounds),
    averagedRounds: averaged,
    skippedRounds: rounds.length - averaged,
    refusals,
    starved: starvedCommunities(course.state.selectionCounts, averaged).map((community) => nodes[community] ?? ""),
  };
};

const reportedFor = (round: number, records: readonly NewRecord[]): string[] =>
  records.flatMap((record) => (record.kind === "update" && record.round === round ? [record.node] : []));

type Ended = Extract<NewRecord, { kind: "round" | "round-skipped" }>;

const roundsOf = (nodes: readonly string[], records: readonly NewRecord[]): LiveRound[] => {
  const trials = new Map(records.flatMap((r) => (r.kind === "round-open" ? [[r.round, r.trial] as const] : [])));
  const updates = records.filter((record) => record.kind === "update");
  const ended = records.filter((record): record is Ended => record.kind === "round" || record.kind === "round-skipped");
  return ended.map((end) => ({
    round: end.round,
    trial: trials.get(end.round) ?? 0,
    state: end.kind === "round" ? "averaged" : "skipped",
    reason: end.kind === "round" ? null : end.reason,
    modelBytes: end.kind === "round" ? end.bytes : 0,
    members: nodes.map((node, community): LiveRoundMember => {
      const update = updates.find((each) => each.round === end.round && each.node === node);
      return {
        node,
        took: end.kind === "round" && end.participants.includes(community),
        uploadBytes: update?.bytes ?? 0,
        updates: update?.updates ?? null,
        losses: update?.losses ?? {},
        proximalWeights: end.kind === "round" ? (end.communities[community]?.proximalWeights ?? {}) : {},
      };
    }),
  }));
};
