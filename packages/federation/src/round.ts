import { randomStream } from "@offloadlab/model";
import { type Ratio, ratio } from "@offloadlab/units";
import { initialProximalWeight, nextProximalWeight, type ProximalWeightState } from "./proximal-weight.ts";
import { selectParticipants } from "./select.ts";
import { countSelections, type SelectionCounts } from "./selection-counts.ts";
import { checkFederationSettings, type FederationSettings, participantCountOf } from "./settings.ts";

/** How a community's learner did in the epochs since the last round; a community that has learned nothing reports nothing. */
export interface RoundReport {
  /** Index from 0. */
  readonly community: number;
  /**
   * What communities are ranked by: the mean un-penalised critic loss over (mean |reward|)², since a raw loss grows with
   * q_p². NaN or infinite when the learner has diverged; report NaN too when its weights are not finite.
   */
  readonly rankingLoss: number;
  /** The mean un-penalised loss of each network, which its λ follows. */
  readonly losses: Readonly<Record<string, number>>;
}

/** What a round leaves to the next; as JSON it can be stored. */
export interface FederationState {
  readonly selectionCounts: SelectionCounts;
  /** [m] by network */
  readonly proximal: readonly Readonly<Record<string, ProximalWeightState>>[];
}

/** What one community does after a round. */
export interface CommunityPlan {
  /** Index from 0. */
  readonly community: number;
  /** f_q: what to mix the global model in with. */
  readonly globalShare: Ratio;
  /** λ of each network until the next round. */
  readonly proximalWeights: Readonly<Record<string, number>>;
  /** Its targets equal the mixture and its optimiser's moments are none: it has diverged, or all begin anew after a round. */
  readonly startsAnew: boolean;
}

/** What a round averages, and what each community makes of it. */
export interface RoundPlan {
  readonly round: number;
  /** Z_r, ascending: whose models to aggregate. Empty when all have diverged: there is no global model then. */
  readonly participants: readonly number[];
  /** [m] */
  readonly communities: readonly CommunityPlan[];
  /** What the next round is planned from. */
  readonly state: FederationState;
}

/** The state before the first round. */
export const initialFederation = (
  communityCount: number,
  networks: readonly string[],
  settings: FederationSettings,
): FederationState => ({
  selectionCounts: Array.from({ length: communityCount }, () => 0),
  proximal: Array.from({ length: communityCount }, () =>
    Object.fromEntries(networks.map((network) => [network, initialProximalWeight(settings.proximal)])),
  ),
});

/**
 * Plans one round: who takes part, what each community takes over, and how its networks are held back.
 *
 * Alg. 2, lines 6-15
 *
 * A community whose ranking loss is not finite has diverged: it takes no part and takes over the global model whole, since
 * no mixture would make its own weights finite. When all have, each keeps what it has.
 *
 * Differs: a community without a report, whose server is away or has learned nothing, takes no part and keeps its λ; it
 * mixes the global model in like the others, once it is there. V is at most the number of reports.
 *
 * @param reports at most one of each community, in any order
 * @param round from 1; the draws of a round follow from it and the seed, whatever happened before
 * @throws RangeError when reports, settings and state do not belong together
 */
export const planRound = (
  reports: readonly RoundReport[],
  settings: FederationSettings,
  round: number,
  seed: number,
  state: FederationState,
): RoundPlan => {
  const communityCount = state.selectionCounts.length;
  checkFederationSettings(settings, communityCount);
  const byCommunity = reportsByCommunity(reports, communityCount);

  const participants = selectParticipants(
    byCommunity.map((report) => report?.rankingLoss ?? Number.NaN),
    participantCountOf(settings, communityCount),
    settings.greedyProbability,
    randomStream(seed, "federation", round),
    settings.picks,
  ).sort((a, b) => a - b);

  const proximal = byCommunity.map((report, community) => nextProximalWeights(state, community, report, settings));
  const communities = byCommunity.map((report, community): CommunityPlan => {
    const diverged = report !== undefined && !Number.isFinite(report.rankingLoss);
    const shareOfGlobal = diverged ? ratio(1) : settings.globalShare;
    return {
      community,
      globalShare: participants.length === 0 ? ratio(0) : shareOfGlobal,
      proximalWeights: mapValues(proximal[community] ?? {}, ({ weight }) => weight),
      startsAnew: diverged || (settings.targets === "restarted" && participants.length > 0),
    };
  });

  const selectionCounts = countSelections(state.selectionCounts, participants);
  return { round, participants, communities, state: { selectionCounts, proximal } };
};

/** [m] */
const reportsByCommunity = (
  reports: readonly RoundReport[],
  communityCount: number,
): readonly (RoundReport | undefined)[] => {
  const got = reports.map(({ community }) => community).sort((a, b) => a - b);
  if (got.some((community, i) => !(community >= 0 && community < communityCount) || community === got[i - 1])) {
    throw new RangeError(
      `Expected at most one report of each community from 0 to ${communityCount - 1}, got ${got.join(", ")}`,
    );
  }
  return Array.from({ length: communityCount }, (_, i) => reports.find(({ community }) => community === i));
};

const nextProximalWeights = (
  state: FederationState,
  community: number,
  report: RoundReport | undefined,
  settings: FederationSettings,
): Readonly<Record<string, ProximalWeightState>> =>
  mapValues(state.proximal[community] ?? {}, (proximal, network) => {
    if (report === undefined) return proximal;
    const loss = report.losses[network];
    if (loss === undefined) {
      throw new RangeError(`Expected a loss of \`${network}\` (community ${community}), got none`);
    }
    return nextProximalWeight(proximal, loss, settings.proximal);
  });

const mapValues = <From, To>(record: Readonly<Record<string, From>>, map: (value: From, key: string) => To) =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
