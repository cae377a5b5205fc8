import { setTimeout as sleep } from "node:timers/promises";
import type { Journal } from "@offloadlab/records";
import type { LabNodeState, Registry } from "./registry.ts";

/** A node that lost its connection may be back within this real time without harm to the trial. */
const patienceMilliseconds = 4_000;

const orderMilliseconds = 300;

/** Follows the nodes of a run, and journals it: one that restarts, or stays away, ends the run. */
export class NodeWatch {
  /** Resolves with the reason when a node is lost. */
  readonly lost: Promise<string>;
  readonly #registry: Registry;
  readonly #journal: Journal;
  /** Process of each node; undefined while it has not been seen. */
  readonly #boots: Map<string, string | undefined>;
  readonly #away = new Map<string, AbortController>();
  #tell: (reason: string) => void = () => {};

  constructor(nodes: readonly string[], registry: Registry, journal: Journal) {
    this.#registry = registry;
    this.#journal = journal;
    this.#boots = new Map(nodes.map((id) => [id, registry.find(id)?.boot]));
    this.lost = new Promise((resolve) => {
      this.#tell = resolve;
    });
    registry.on("online", this.#online);
    registry.on("offline", this.#offline);
  }

  /**
   * Why a node may have failed: one that is away explains the failures of those that need it.
   *
   * @returns that another node was lost, or the failure itself when none is away
   */
  async explain(failure: string): Promise<string> {
    // A server's lost connection and its devices' failures come in any order.
    await sleep(orderMilliseconds);
    if (this.#away.size === 0) return failure;
    return Promise.race([this.lost, sleep(2 * patienceMilliseconds, failure, { ref: false })]);
  }

  end(): void {
    this.#registry.off("online", this.#online);
    this.#registry.off("offline", this.#offline);
    for (const patience of this.#away.values()) patience.abort();
  }

  readonly #online = ({ id, boot }: LabNodeState): void => {
    if (!this.#boots.has(id)) return;
    this.#journal.write({ kind: "node", node: id, state: "online", boot });
    this.#away.get(id)?.abort();
    this.#away.delete(id);
    const before = this.#boots.get(id);
    if (before !== undefined && before !== boot) this.#tell(`${id} was restarted in the midst of the run`);
    this.#boots.set(id, boot);
  };

  readonly #offline = ({ id, boot }: LabNodeState): void => {
    if (!this.#boots.has(id)) return;
    this.#journal.write({ kind: "node", node: id, state: "offline", boot });
    const patience = new AbortController();
    this.#away.set(id, patience);
    void sleep(patienceMilliseconds, undefined, { signal: patience.signal }).then(
      () => this.#tell(`${id} was lost in the midst of the run`),
      () => undefined,
    );
  };
}

/**
 * Waits until all nodes are connected.
 *
 * @returns those that did not come in time, or before `stop`
 */
export const waitForNodes = async (
  nodes: readonly string[],
  registry: Registry,
  milliseconds: number,
  stop: AbortSignal,
): Promise<string[]> => {
  const missing = (): string[] => nodes.filter((id) => registry.find(id)?.online !== true);
  const limit = AbortSignal.any([AbortSignal.timeout(milliseconds), stop]);
  while (missing().length > 0 && !limit.aborted) {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        registry.off("online", done);
        limit.removeEventListener("abort", done);
        resolve();
      };
      registry.on("online", done);
      limit.addEventListener("abort", done);
    });
  }
  return missing();
};
