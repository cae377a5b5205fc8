import {
  aggregate,
  checkFederationSettings,
  type FederationState,
  initialFederation,
  lossesOf,
  mixWeights,
  planRound,
  type RoundPlan,
  rankingLoss,
} from "@offloadlab/federation";
import {
  type Agent,
  type AgentSnapshot,
  Ddpg,
  type DdpgSettings,
  Dqn,
  dqnDefaults,
  type Engine,
  type LearnerSettings,
  type Losses,
  type Rows,
  Td3,
  type Td3Settings,
} from "@offloadlab/learning";
import { randomStream, type Settings } from "@offloadlab/model";
import type { Policy } from "@offloadlab/policies";
import { AgentWorld } from "./agent-world.ts";
import { Community } from "./community.ts";
import { type EpochTotals, successRatio } from "./epoch-totals.ts";
import { type Latencies, noLatencies } from "./latencies.ts";
import { runEpoch } from "./run.ts";
import type { TrainingSettings } from "./training-settings.ts";

/** What one epoch of training came to in one community. */
export interface TrainingRecord {
  /** From 1; 0 is before the first update. */
  readonly epoch: number;
  readonly community: string;
  /** Of one epoch without exploration, whose arrivals no training saw. */
  readonly successRatio: number;
  readonly energyJoules: number;
  readonly waitingSeconds: number;
  readonly reward: number;
  /** Mean losses of the epoch's updates, of each network over those in which it was updated. */
  readonly losses: Losses;
}

/** A round of Algorithm 2 that has taken place. */
export interface RoundRecord {
  readonly round: number;
  readonly epoch: number;
  readonly participants: readonly number[];
  /** [m] by network */
  readonly proximalWeights: readonly Readonly<Record<string, number>>[];
}

/** Everything that a training needs to go on where it was. */
export interface TrainingSnapshot {
  readonly epoch: number;
  readonly agents: readonly AgentSnapshot[];
  readonly federation: FederationState | undefined;
  readonly proximal: readonly (Readonly<Record<string, number>> | undefined)[];
  readonly globalWeights: Readonly<Record<string, Float32Array>> | undefined;
  readonly sinceRound: readonly RoundSums[];
  readonly records: readonly TrainingRecord[];
  readonly rounds: readonly RoundRecord[];
}

/** Sums of a community since the last round. */
interface RoundSums {
  readonly updates: number;
  readonly losses: Losses;
  /** Updates that had a loss, by network: actors have not in each. */
  readonly counts: Losses;
  readonly absoluteReward: number;
  readonly rewards: number;
}

const noSums: RoundSums = { updates: 0, losses: {}, counts: {}, absoluteReward: 0, rewards: 0 };

interface Member {
  readonly name: string;
  /** The epoch in which it begins, from 1. */
  readonly joins: number;
  readonly world: AgentWorld;
  readonly agent: Agent;
}

/**
 * Trains an agent for each community, Algorithm 1, and federates them, Algorithm 2: the C-BS's and the servers' work in
 * one process.
 *
 * Differs: rounds begin after the first f_p epochs; before, all communities have one common initialisation. Algorithms 1
 * and 2 call each other in the text; here an epoch of every community comes after the other, then a round when it is due.
 */
export class Training {
  readonly settings: TrainingSettings;
  readonly records: TrainingRecord[] = [];
  readonly rounds: RoundRecord[] = [];
  readonly seed: number;
  readonly #members: readonly Member[];
  #epoch = 0;
  #federation: FederationState | undefined;
  #proximal: (Readonly<Record<string, number>> | undefined)[];
  #globalWeights: Readonly<Record<string, Float32Array>> | undefined;
  #sinceRound: RoundSums[];

  /**
   * @param latencies what tasks take beyond the theory of the world
   * @throws RangeError when communities cannot be federated so
   */
  constructor(
    world: Settings,
    settings: TrainingSettings,
    engine: Engine,
    seed: number,
    latencies: Latencies = noLatencies,
  ) {
    this.settings = settings;
    this.seed = seed;
    this.#members = world.communities.map(({ name }, index) => {
      const community = new Community(world, index, seed, undefined, latencies);
      const agentWorld = new AgentWorld(community, settings);
      // Alg. 1, line 1. Federated agents begin as one; others have a beginning of their own.
      const agentSeed = settings.federation === undefined ? randomStream(seed, "agent", index).integer(2 ** 32) : seed;
      const agent = agentFor(
        settings,
        engine,
        agentWorld.shape,
        agentSeed,
        randomStream(seed, "draws", index).integer(2 ** 32),
      );
      return { name, joins: settings.joins?.[name] ?? 1, world: agentWorld, agent };
    });
    this.#proximal = this.#members.map(() => undefined);
    this.#sinceRound = this.#members.map(() => noSums);
    if (settings.federation !== undefined) {
      const networks = Object.keys(this.#members[0]?.agent.weights ?? {});
      checkFederationSettings(settings.federation, this.#members.length);
      checkSameNetworks(this.#members);
      this.#federation = initialFederation(this.#members.length, networks, settings.federation);
    }
  }

  /** Epochs so far. */
  get epoch(): number {
    return this.#epoch;
  }

  /** What each community has learned so far, in the order of the communities. */
  policies(): { readonly community: Community; readonly policy: Policy }[] {
    return this.#members.map(({ world, agent }) => ({
      community: world.community,
      policy: world.policyOf(this.settings.method, agent),
    }));
  }

  /** The agents, in the order of the communities. */
  get agents(): readonly Agent[] {
    return this.#members.map(({ agent }) => agent);
  }

  /** A round of the federation when it is due, and one epoch of every community. */
  async runEpoch(): Promise<void> {
    this.federateWhenDue();
    for (const member of this.#members) if (member.joins === this.#epoch + 1) this.#welcome(member);
    this.#epoch++;
    for (const [index, member] of this.#members.entries()) {
      if (!this.#isThere(member)) continue;
      const sums = await this.#train(index, member);
      this.#sinceRound[index] = added(this.#sinceRound[index] ?? noSums, sums);
      this.#record(member, meanLosses(sums));
    }
  }

  /** A community that joins a federation begins with the global model, its targets too; another with what it drew. */
  #welcome(member: Member): void {
    if (this.#globalWeights !== undefined) member.agent.startFrom(this.#globalWeights);
    this.#record(member, {});
  }

  #isThere({ joins }: Member): boolean {
    return joins <= this.#epoch;
  }

  /** Alg. 1, line 3: every f_p epochs a round takes place before the next epoch, once there is something to average. */
  federateWhenDue(): void {
    const { federation } = this.settings;
    if (federation === undefined || this.#epoch % federation.federateEvery !== 0) return;
    if (this.#sinceRound.some(({ updates }) => updates > 0)) this.#federate();
  }

  /** Alg. 1, lines 8 to 21. */
  async #train(index: number, { world, agent, joins }: Member): Promise<RoundSums> {
    const { randomEpochs, updatesPerSubSlot } = this.settings;
    const { rows, features, actions } = world.shape;
    const state = new Float32Array(rows * features);
    const next = new Float32Array(rows * features);
    const action = new Float32Array(rows * actions);
    const isRandom = this.#epoch - joins < randomEpochs;
    let sums = noSums;

    agent.beginEpoch(this.#epoch);
    // Alg. 1, line 8
    world.community.reset(randomStream(this.seed, "training", index, this.#epoch).integer(2 ** 32));
    world.observe(state);
    for (let truncated = false; !truncated; ) {
      // Alg. 1, line 10
      if (isRandom) agent.actRandomly(action);
      else agent.explore(state, action);
      // Alg. 1, line 11
      const step = world.step(action);
      truncated = step.truncated;
      world.observe(next);
      // Alg. 1, line 12. No community ends with its epoch: there is always a value to come.
      agent.store({ state, action, reward: step.rewards, next, terminated: false });
      state.set(next);
      let losses: Losses = {};
      // Alg. 1, lines 13 to 20
      if (!isRandom) for (let update = 0; update < updatesPerSubSlot; update++) losses = await agent.update();
      sums = added(sums, {
        updates: isRandom ? 0 : 1,
        losses,
        counts: Object.fromEntries(Object.keys(losses).map((name) => [name, 1])),
        absoluteReward: step.rewards.reduce((sum, reward) => sum + Math.abs(reward), 0),
        rewards: step.rewards.length,
      });
    }
    return sums;
  }

  /** Alg. 2, lines 6 to 15, and Alg. 1, lines 4 to 6. */
  #federate(): void {
    const { federation } = this.settings;
    if (federation === undefined || this.#federation === undefined) return;
    const round = this.rounds.length + 1;
    const reports = this.#members.flatMap(({ agent }, community) => {
      const sums = this.#sinceRound[community] ?? noSums;
      // Not there yet, or still at random: nothing to average.
      if (sums.updates === 0) return [];
      const losses = lossesOf(Object.keys(agent.weights), meanLosses(sums));
      const meanAbsoluteReward = sums.absoluteReward / Math.max(sums.rewards, 1);
      return [
        {
          community,
          rankingLoss: rankingLoss({ losses, meanAbsoluteReward }, agent.weights, federation.ranking),
          losses,
        },
      ];
    });
    const plan = planRound(reports, federation, round, this.seed, this.#federation);
    this.#federation = plan.state;
    this.#sinceRound = this.#members.map(() => noSums);
    if (plan.participants.length > 0) this.#carryOut(plan);
    this.rounds.push({
      round,
      epoch: this.#epoch,
      participants: plan.participants,
      proximalWeights: plan.communities.map(({ proximalWeights }) => proximalWeights),
    });
  }

  #carryOut(plan: RoundPlan): void {
    const models = plan.participants.map((community) => ({ community, weights: this.#agentOf(community).weights }));
    const globalWeights = aggregate(models);
    this.#globalWeights = globalWeights;
    for (const { community, globalShare, proximalWeights, startsAnew } of plan.communities) {
      const agent = this.#agentOf(community);
      const weights = mixWeights(agent.weights, globalWeights, globalShare);
      if (startsAnew) agent.startFrom(weights);
      else agent.weights = weights;
      agent.proximal = { lambdas: proximalWeights, weights: globalWeights };
      this.#proximal[community] = proximalWeights;
    }
  }

  #agentOf(community: number): Agent {
    return (this.#members[community] as Member).agent;
  }

  /** Runs the policy once on arrivals that no training saw, and writes down how it did. */
  #record({ name, world, agent }: Member, losses: Losses): void {
    const policy = world.policyOf(this.settings.method, agent);
    const seed = randomStream(this.seed, "curve", this.#epoch).integer(2 ** 32);
    const totals = runEpoch(world.community, policy, seed);
    this.records.push({ epoch: this.#epoch, community: name, ...perTask(totals), reward: totals.reward, losses });
  }

  snapshot(): TrainingSnapshot {
    return {
      epoch: this.#epoch,
      agents: this.#members.map(({ agent }) => agent.snapshot()),
      federation: this.#federation,
      proximal: [...this.#proximal],
      globalWeights: this.#globalWeights,
      sinceRound: [...this.#sinceRound],
      records: [...this.records],
      rounds: [...this.rounds],
    };
  }

  /** Goes on where a training of the same settings and seed was. */
  restore(snapshot: TrainingSnapshot): void {
    this.#epoch = snapshot.epoch;
    this.#federation = snapshot.federation;
    this.#proximal = [...snapshot.proximal];
    this.#globalWeights = snapshot.globalWeights;
    this.#sinceRound = [...snapshot.sinceRound];
    this.records.splice(0, this.records.length, ...snapshot.records);
    this.rounds.splice(0, this.rounds.length, ...snapshot.rounds);
    this.#members.forEach(({ agent }, index) => {
      agent.restore(snapshot.agents[index] as AgentSnapshot);
      const lambdas = this.#proximal[index];
      if (lambdas !== undefined && this.#globalWeights !== undefined) {
        agent.proximal = { lambdas, weights: this.#globalWeights };
      }
    });
  }

  async close(): Promise<void> {
    for (const { agent } of this.#members) await agent.close();
  }
}

/** Weights of networks that differ in size have no mean. */
const checkSameNetworks = (members: readonly Member[]): void => {
  const sizeOf = ({ agent }: Member): string =>
    Object.values(agent.weights)
      .map(({ length }) => length)
      .join();
  const other = members.find((member) => sizeOf(member) !== sizeOf(members[0] as Member));
  if (other === undefined) return;
  const names = `${members[0]?.name} and ${other.name}`;
  throw new RangeError(
    `\`networks\`: flat ones of ${names}, which have different numbers of devices, cannot be averaged; \`set\` networks can`,
  );
};

/** An agent before its first update. */
export const agentFor = (
  { agent, method }: TrainingSettings,
  engine: Engine,
  shape: Rows,
  weightsSeed: number,
  drawsSeed: number,
): Agent => {
  switch (method) {
    case "dqn":
      return new Dqn(engine, shape, { ...dqnDefaults, ...learnerOf(agent) }, weightsSeed, drawsSeed);
    case "ddpg":
      return new Ddpg(engine, shape, ddpgOf(agent), weightsSeed, drawsSeed);
    case "td3":
    case "mcf-td3":
    case "pfr-oa":
      return new Td3(engine, shape, agent, weightsSeed, drawsSeed);
  }
};

/** Without what is TD3's alone. */
const ddpgOf = ({ updateActorEvery, actorTurns, targetNoise, ...settings }: Td3Settings): DdpgSettings => settings;

/** What all learners have in common. */
const learnerOf = (settings: LearnerSettings): LearnerSettings => {
  const { hidden, pooled, discount, learningRate, targetShare, batchSize, bufferCapacity } = settings;
  return { hidden, pooled, discount, learningRate, targetShare, batchSize, bufferCapacity };
};

const perTask = (totals: EpochTotals) => ({
  successRatio: successRatio(totals),
  energyJoules: totals.energyJoules / totals.tasks,
  waitingSeconds: totals.waitingSeconds / totals.tasks,
});

const added = (a: RoundSums, b: RoundSums): RoundSums => ({
  updates: a.updates + b.updates,
  losses: addedByNetwork(a.losses, b.losses),
  counts: addedByNetwork(a.counts, b.counts),
  absoluteReward: a.absoluteReward + b.absoluteReward,
  rewards: a.rewards + b.rewards,
});

const addedByNetwork = (a: Losses, b: Losses): Losses => {
  const sums: Record<string, number> = { ...a };
  for (const [name, value] of Object.entries(b)) sums[name] = (sums[name] ?? 0) + value;
  return sums;
};

/** Mean over the updates that had a loss of a network, as a learner of a server reports it. */
const meanLosses = ({ losses, counts }: RoundSums): Losses =>
  Object.fromEntries(Object.entries(losses).map(([name, loss]) => [name, loss / Math.max(counts[name] ?? 0, 1)]));
