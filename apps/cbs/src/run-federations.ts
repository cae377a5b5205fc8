import type { Engine } from "@offloadlab/learning";
import { serverId } from "@offloadlab/model";
import type { LiveFederation } from "@offloadlab/protocol";
import { learnedNames, type Manifest } from "@offloadlab/records";
import { decodeDeployment, deployedAgent } from "@offloadlab/simulation";
import { Federation, type FederationParts } from "./federation.ts";
import type { AgentFiles } from "./run-folder.ts";

/** How long a round takes updates, real time. */
const deadlineSeconds = 10;

/** The C-BS looks at agents and never runs one: no runtime is installed with it. */
const noEngine: Engine = {
  name: "none",
  open: () => Promise.reject(new RangeError("Expected agents that are only looked at")),
};

/** The federations of a run: one for each policy that goes on learning, and learns by Algorithm 2. */
export class RunFederations {
  readonly #federations = new Map<string, { readonly federation: Federation; readonly federateEvery: number }>();

  static async open(
    manifest: Manifest,
    agents: AgentFiles,
    parts: Omit<FederationParts, "setup" | "deadlineSeconds">,
  ): Promise<RunFederations> {
    const federations = new RunFederations();
    const { settings: world, learning, seed } = manifest;
    if (learning === null) return federations;
    const nodes = world.communities.map((_, index) => serverId(index));
    const learned = learnedNames(manifest);
    for (const [policy, bytes] of agents) {
      if (!learned.includes(policy)) continue;
      const deployment = decodeDeployment(bytes);
      const { federation: chosen } = deployment.settings;
      if (chosen === undefined) continue;
      const { agent } = deployedAgent(deployment, noEngine, world, 0);
      const shapes = Object.fromEntries(Object.entries(agent.weights).map(([name, { length }]) => [name, length]));
      await agent.close();
      const minimumReports = Math.floor(nodes.length / 2) + 1;
      const settings = { ...chosen, federateEvery: learning.federateEvery ?? chosen.federateEvery };
      const setup = { policy, nodes, shapes, settings, minimumReports, seed };
      const federation = await Federation.open({ ...parts, setup, deadlineSeconds });
      federations.#federations.set(policy, { federation, federateEvery: settings.federateEvery });
    }
    return federations;
  }

  find(policy: string): Federation | undefined {
    return this.#federations.get(policy)?.federation;
  }

  /** For the dashboard. */
  views(): LiveFederation[] {
    return [...this.#federations.values()].map(({ federation }) => federation.view());
  }

  /**
   * Alg. 1, line 3: every f_p epochs of a policy a round takes place before the next one; asked again, as after a restart
   * of the C-BS or for a trial that is repeated, only when it has not taken place.
   *
   * @param scheduled number of the trial in the schedule
   * @param epochsBefore trials of its policy that came to their end before it
   */
  async before(policy: string, scheduled: number, epochsBefore: number, stop: AbortSignal): Promise<void> {
    const known = this.#federations.get(policy);
    if (known === undefined) return;
    const due = Math.floor(epochsBefore / known.federateEvery);
    if (known.federation.course.round < due) await known.federation.runRound(scheduled - 1, stop);
  }
}
