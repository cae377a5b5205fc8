import {
  type CommunityPlan,
  type FederationState,
  initialFederation,
  lossesOf,
  planRound,
  type RoundPlan,
  type RoundReport,
  rankingLoss,
} from "@offloadlab/federation";
import type { FederationRecord, JournalRecord, UpdateRecord } from "./journal-records.ts";

/** Who is federated, and how. */
export type FederationSetup = Omit<FederationRecord, "kind">;
/** What a server has sent for a round. */
export type Update = Omit<UpdateRecord, "kind">;

/** The last global model, and what each community makes of it. */
export interface RoundResult {
  readonly round: number;
  /** `Content-Digest` of the global model. */
  readonly digest: string;
  /** [m] */
  readonly communities: readonly CommunityPlan[];
}

/** Where a federation stands between two rounds; as JSON it can be stored. */
export interface FederationCourse {
  /** The last round that took place or was skipped; 0 before the first. */
  readonly round: number;
  readonly state: FederationState;
  /** null before the first round that took place */
  readonly result: RoundResult | null;
}

/** What becomes of a round at its deadline. */
export type RoundDecision =
  | { readonly kind: "average"; readonly plan: RoundPlan }
  | { readonly kind: "skip"; readonly reason: string };

/** The course before the first round. */
export const federationBegin = ({ nodes, shapes, settings }: FederationSetup): FederationCourse => ({
  round: 0,
  state: initialFederation(nodes.length, Object.keys(shapes), settings),
  result: null,
});

/**
 * Decides on the round that comes next: it is skipped when too few servers sent what they have learned, else planned.
 *
 * Alg. 2, lines 5 to 15
 *
 * @param updates at most one of each server, in any order
 */
export const decideRound = (
  setup: FederationSetup,
  { round, state }: FederationCourse,
  updates: readonly Update[],
): RoundDecision => {
  const reports = setup.nodes.flatMap((node, community) => {
    const update = updates.find((each) => each.node === node);
    return update === undefined ? [] : reportOf(update, community, setup);
  });
  if (reports.length < setup.minimumReports) {
    const got = `${reports.length} of ${setup.nodes.length} servers`;
    return { kind: "skip", reason: `only ${got} reported what they have learned, ${setup.minimumReports} are needed` };
  }
  const plan = planRound(reports, setup.settings, round + 1, setup.seed, state);
  if (plan.participants.length === 0) return { kind: "skip", reason: "every learner that reported has diverged" };
  return { kind: "average", plan };
};

/**
 * None of a learner that has learned nothing, which would be ranked best, or that has had no reward, by which its loss is
 * ranked: it has not diverged, it has had no task.
 */
const reportOf = (update: Update, community: number, { shapes, settings }: FederationSetup): RoundReport[] => {
  const isIdle = update.updates === 0 || update.meanAbsoluteReward === 0;
  if (isIdle && !update.diverged) return [];
  const finite = Object.entries(update.losses).map(([network, loss]) => [network, loss ?? Number.NaN] as const);
  const losses = lossesOf(Object.keys(shapes), Object.fromEntries(finite));
  const ranking = rankingLoss({ losses, meanAbsoluteReward: update.meanAbsoluteReward }, {}, settings.ranking);
  return [{ community, rankingLoss: update.diverged ? Number.NaN : ranking, losses }];
};

/** @param digest of the global model that the plan gave */
export const afterRound = ({ round, communities, state }: RoundPlan, digest: string): FederationCourse => ({
  round,
  state,
  result: { round, digest, communities },
});

export const afterSkippedRound = (course: FederationCourse): FederationCourse => ({
  ...course,
  round: course.round + 1,
});

/** What a journal of the C-BS makes of its federation. */
export interface FederationReplay {
  readonly setup: FederationSetup;
  readonly course: FederationCourse;
  /** Rounds that do not follow from what was journalled before them. */
  readonly problems: readonly string[];
}

/** Repeats every federation of a run from the journal of the C-BS alone. */
export const replayFederations = (records: readonly JournalRecord[]): FederationReplay[] =>
  records.flatMap((record) => {
    if (record.kind !== "federation") return [];
    const { policy, nodes, shapes, settings, minimumReports, seed } = record;
    return [replayOf({ policy, nodes, shapes, settings, minimumReports, seed }, records)];
  });

const replayOf = (setup: FederationSetup, records: readonly JournalRecord[]): FederationReplay => {
  const { nodes } = setup;
  let course = federationBegin(setup);
  let updates: UpdateRecord[] = [];
  const problems: string[] = [];
  for (const record of records) {
    if (record.kind !== "update" && record.kind !== "round" && record.kind !== "round-skipped") continue;
    if (record.policy !== setup.policy) continue;
    if (record.kind === "update") {
      updates.push(record);
      continue;
    }
    const { round } = record;
    if (round !== course.round + 1) problems.push(`round ${round} follows round ${course.round}`);
    const strangers = updates.filter((update) => update.round !== round || !nodes.includes(update.node));
    for (const { node } of strangers) problems.push(`round ${round}: an update of ${node} is not of this round`);
    if (new Set(updates.map(({ node }) => node)).size < updates.length) {
      problems.push(`round ${round}: a server was taken in twice`);
    }
    if (record.kind === "round-skipped") course = afterSkippedRound(course);
    else {
      const decision = decideRound(setup, { ...course, round: round - 1 }, updates);
      if (decision.kind === "skip") {
        problems.push(`round ${round} took place, but ${decision.reason}`);
        course = afterSkippedRound(course);
      } else {
        const same = { participants: record.participants, communities: record.communities };
        const { participants, communities } = decision.plan;
        if (JSON.stringify({ participants, communities }) !== JSON.stringify(same)) {
          problems.push(`round ${round}: its plan does not follow from the updates and the rounds before`);
        }
        course = afterRound(decision.plan, record.digest);
      }
    }
    updates = [];
  }
  return { setup, course, problems };
};
