import { createHash } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isPolicySource } from "@offloadlab/deployed";
import type { CarriedOn } from "@offloadlab/hardware/carrier";
import { type Agent, decodeSafetensors, encodeSafetensors, onnxEngine } from "@offloadlab/learning";
import { communityAt, devicesOf } from "@offloadlab/model";
import { policies, policyNames } from "@offloadlab/policies";
import { Failure, messageOf, type TrialOrder } from "@offloadlab/protocol";
import { type Journal, writeDurably } from "@offloadlab/records";
import {
  type AgentTranslator,
  agentPolicy,
  type Deployment,
  decodeDeployment,
  deployedAgent,
} from "@offloadlab/simulation";
import type { TrialPolicy } from "./community-trial.ts";
import { FederationClient, type FederationClientOptions } from "./federation-client.ts";
import { LearnedPolicy } from "./learned-policy.ts";
import { LiveLearner } from "./learner.ts";
import type { LearnerSnapshot } from "./learner-messages.ts";
import { OutsidePolicies } from "./outside-policies.ts";

/** What is saved of a learner beside its arrays. */
interface SavedLearner {
  readonly counts: LearnerSnapshot["agent"]["counts"];
  readonly since: LearnerSnapshot["since"];
  /** The last epoch that it has been through. */
  readonly epoch: number;
  /** The last round of its federation that is in it. */
  readonly round: number;
}

/** JSON has null for a number that is not finite. */
const notFinite = (losses: Readonly<Record<string, number | null>>): Record<string, number> =>
  Object.fromEntries(Object.entries(losses).map(([network, loss]) => [network, loss ?? Number.NaN]));

/** An agent of a run, from its first trial to the run's end. */
interface Deployed {
  readonly run: string;
  readonly name: string;
  readonly deployment: Deployment;
  readonly agent: Agent;
  readonly translator: AgentTranslator;
  readonly learner: LiveLearner | undefined;
  /** Of a learner that takes part in Algorithm 2. */
  federation: FederationClient | undefined;
  /** Epochs that it has been through, those of its training included. */
  epoch: number;
  /** Trials of the run that are in what it has learned; null in the midst of one. */
  trials: number | null;
}

export interface AgentsOptions {
  readonly communityIndex: number;
  /** Where learners keep what they have learned. */
  readonly stateFolder: string;
  /** Where ONNX Runtime runs. */
  readonly runtimeOn: CarriedOn;
  /** Fetches the file of a run's agents, or of a policy's models. */
  readonly fetch: (run: string, policy: string) => Promise<Uint8Array>;
  /** Where and as whom learners are federated. */
  readonly federation: Pick<FederationClientOptions, "stationUrl" | "tls" | "log">;
}

/**
 * The policies of this server's trials: those that need no training, those from outside, and the agents that were deployed
 * to it for a run, which go on learning from trial to trial where the run says so.
 */
export class Agents {
  readonly #options: AgentsOptions;
  readonly #deployed = new Map<string, Deployed>();
  readonly #outside: OutsidePolicies;

  constructor(options: AgentsOptions) {
    this.#options = options;
    this.#outside = new OutsidePolicies({ ...options, log: options.federation.log });
  }

  /**
   * The policy of a trial.
   *
   * @throws Failure `peer/unreachable` or `wire/malformed` when its agents do not come, `config/invalid` when they do not fit
   */
  async policyOf(order: TrialOrder, journal: Journal): Promise<TrialPolicy> {
    const { communityIndex } = this.#options;
    const known = policyNames.find((name) => name === order.policy);
    if (known !== undefined) {
      const devices = devicesOf(order.settings, communityIndex, order.deviceSeed);
      return { policy: policies[known](order.settings, communityIndex, devices), finish: async () => {} };
    }
    if (isPolicySource(order.policy)) return this.#outside.policyOf(order, journal);
    const deployed = await this.#open(order, journal);
    const { agent, translator, learner } = deployed;
    if (learner === undefined || order.learning === null) {
      return { policy: agentPolicy(order.policy, translator, agent), finish: async () => {} };
    }
    deployed.epoch += 1;
    deployed.trials = null;
    agent.beginEpoch(deployed.epoch);
    learner.beginEpoch(deployed.epoch);
    const { randomEpochs, updatesPerSubSlot } = deployed.deployment.settings;
    const policy = new LearnedPolicy(order.policy, agent, translator, {
      learner,
      isRandom: deployed.epoch <= randomEpochs,
      explores: order.learning.explore,
      updatesPerSubSlot,
      deviceCount: communityAt(order.settings, communityIndex).deviceCount,
      subSlotCount: order.settings.timeSlotCount * order.settings.subSlotsPerTimeSlot,
    });
    return { policy, finish: () => this.#finish(deployed, learner, policy, order, journal) };
  }

  /** Ends all learners, and policies from outside. */
  async close(): Promise<void> {
    await this.#outside.close();
    await this.#closeDeployed();
  }

  async #closeDeployed(): Promise<void> {
    for (const deployed of this.#deployed.values()) await this.#end(deployed);
  }

  async #end({ name, learner, agent, federation }: Deployed): Promise<void> {
    this.#deployed.delete(name);
    await federation?.close();
    await learner?.close();
    await agent.close();
  }

  async #open(order: TrialOrder, journal: Journal): Promise<Deployed> {
    const { run, policy: name, epochsBefore } = order;
    const known = this.#deployed.get(name);
    const isUpToDate = known?.learner === undefined || known.trials === epochsBefore;
    if (known?.run === run && isUpToDate) return known;
    // The trial that it learned in last was abandoned: it goes on from before, as a server that was started again.
    if (known?.run === run) await this.#end(known);
    // Another run's agents have no more to do.
    if ([...this.#deployed.values()].some((each) => each.run !== run)) await this.#closeDeployed();
    const { communityIndex } = this.#options;
    const bytes = await this.#options.fetch(run, name);
    if (createHash("sha256").update(bytes).digest("hex") !== order.agents) {
      throw new Failure("wire/malformed", `the agents of ${name} are not the ones that were ordered; run it again`);
    }
    try {
      const deployment = decodeDeployment(bytes);
      const { agent, translator } = deployedAgent(deployment, onnxEngine, order.settings, communityIndex);
      const onWeights = (weights: Agent["weights"]): void => {
        agent.weights = weights;
      };
      const { learning, settings: world } = order;
      const { runtimeOn, federation } = this.#options;
      const onDeath = (how: string): void =>
        federation.log("warn", `${how}; another one goes on with what ${name} had learned`);
      const place = { on: runtimeOn, onDeath };
      const learner =
        learning === null
          ? undefined
          : await LiveLearner.start({ deployment, world, communityIndex, engine: learning.engine }, onWeights, place);
      const { epochs: epoch } = deployment;
      const parts = { deployment, agent, translator, learner };
      const opened: Deployed = { run, name, ...parts, federation: undefined, epoch, trials: null };
      this.#deployed.set(name, opened);
      if (learner !== undefined) {
        const learnedRound = epochsBefore === 0 ? 0 : await this.#restore(opened, learner, epochsBefore);
        if (deployment.settings.federation !== undefined) this.#federate(opened, learner, learnedRound, journal);
      }
      opened.trials = epochsBefore;
      return opened;
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Failure("config/invalid", `the agents of ${name} do not fit this run: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** From now on to the end of the run. */
  #federate(deployed: Deployed, learner: LiveLearner, learnedRound: number, journal: Journal): void {
    const { run, name: policy } = deployed;
    const { federation: parts, stateFolder } = this.#options;
    const folder = join(stateFolder, run, `${policy}-federation`);
    const write: FederationClientOptions["write"] = (record) => journal.write(record);
    const client = new FederationClient({ ...parts, run, policy, folder, learner, learnedRound, write });
    deployed.federation = client;
    // A mistake in it ends the process, as any other.
    void client.run();
  }

  async #finish(
    deployed: Deployed,
    learner: LiveLearner,
    { transitions }: LearnedPolicy,
    { trial, epochsBefore }: TrialOrder,
    journal: Journal,
  ): Promise<void> {
    transitions.end();
    const snapshot = await learner.snapshot();
    const { updates, losses, deaths } = learner.takeSums();
    const { name: policy, epoch } = deployed;
    const { complete, discarded } = transitions;
    const learned = { epoch, transitions: complete, discarded, updates, losses, ...(deaths > 0 ? { deaths } : {}) };
    journal.write({ kind: "learning", trial, policy, ...learned });
    await this.#save(deployed, epochsBefore + 1, snapshot);
    deployed.trials = epochsBefore + 1;
  }

  /**
   * A server that is started again in the midst of a run, or whose trial was abandoned, goes on with what it had learned
   * after a number of trials.
   *
   * @returns the last round of its federation that is in it
   * @throws Failure `config/invalid` when that is not on its disk
   */
  async #restore(deployed: Deployed, learner: LiveLearner, trials: number): Promise<number> {
    const file = this.#fileOf(deployed, trials);
    const bytes = await readFile(file).catch((error: unknown) => {
      const what = `${file}: what ${deployed.name} had learned after ${trials} trials is gone; run it again`;
      throw new Failure("config/invalid", what, { cause: error });
    });
    const { tensors, metadata } = decodeSafetensors(bytes);
    const { counts, since, epoch, round } = JSON.parse(metadata["learner"] ?? "{}") as SavedLearner;
    const agent = { arrays: tensors, counts };
    await learner.restore({ agent, since: { ...since, losses: notFinite(since.losses) } });
    deployed.agent.restore(agent);
    deployed.epoch = epoch;
    return round;
  }

  async #save(deployed: Deployed, trials: number, { agent, since }: LearnerSnapshot): Promise<void> {
    const file = this.#fileOf(deployed, trials);
    const round = deployed.federation?.round ?? 0;
    const { arrays, counts } = agent;
    const saved: SavedLearner = { counts, since, epoch: deployed.epoch, round };
    const metadata = { learner: JSON.stringify(saved) };
    await mkdir(dirname(file), { recursive: true });
    await writeDurably(file, encodeSafetensors({ tensors: arrays, metadata }));
    // The trial may yet be abandoned: the one before is kept, and none from before that is asked for again.
    await rm(this.#fileOf(deployed, trials - 2), { force: true });
  }

  #fileOf({ run, name }: Deployed, trials: number): string {
    return join(this.#options.stateFolder, run, `${name}-${trials}.safetensors`);
  }
}
