import { setTimeout as sleep } from "node:timers/promises";
import { timeLimit } from "@offloadlab/protocol";
import type { Journal } from "@offloadlab/records";
import type { LabNodeState, Registry } from "./registry.ts";

/** A node that lost its connection may be back within this real time without harm to the trial. */
const patienceMilliseconds = 4_000;

const orderMilliseconds = 300;

/** Follows the nodes of a run, and journals it: one that restarts, or stays away, is lost to the trial that goes on. */
export class NodeWatch {
  readonly #nodes: readonly string[];
  readonly #registry: Registry;
  readonly #journal: Journal;
  /** Process of each node when the trial began. */
  #boots: ReadonlyMap<string, string | undefined> = new Map();
  readonly #away = new Map<string, AbortController>();
  #lost: Promise<string> = new Promise(() => {});
  #reason: string | undefined;
  #tell: (reason: string) => void = () => {};

  constructor(nodes: readonly string[], registry: Registry, journal: Journal) {
    this.#nodes = nodes;
    this.#registry = registry;
    this.#journal = journal;
    registry.on("online", this.#online);
    registry.on("offline", this.#offline);
  }

  /** Resolves with the reason when a node is lost to the trial that goes on. */
  get lost(): Promise<string> {
    return this.#lost;
  }

  /** Why the trial has no future; undefined while no node is lost to it. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /**
   * A trial begins with the processes that are here now.
   *
   * @returns whether one of them is another than at the trial before
   */
  begin(): boolean {
    const boots = new Map(this.#nodes.map((id) => [id, this.#registry.find(id)?.boot]));
    const isNew = [...boots].some(([id, boot]) => this.#boots.get(id) !== boot);
    this.#boots = boots;
    this.#reason = undefined;
    this.#lost = new Promise((resolve) => {
      this.#tell = (reason) => {
        this.#reason ??= reason;
        resolve(reason);
      };
    });
    return isNew;
  }

  /**
   * Whether a node's failure comes of another one being away: that explains the failures of those that need it.
   *
   * @returns that a node was lost, or undefined when none is away
   */
  async explanation(): Promise<string | undefined> {
    // A server's lost connection and its devices' failures come in any order.
    await sleep(orderMilliseconds);
    if (this.#reason !== undefined || this.#away.size === 0) return this.#reason;
    return Promise.race([this.#lost, sleep(2 * patienceMilliseconds, undefined, { ref: false })]);
  }

  end(): void {
    this.#registry.off("online", this.#online);
    this.#registry.off("offline", this.#offline);
    for (const patience of this.#away.values()) patience.abort();
  }

  readonly #online = ({ id, boot }: LabNodeState): void => {
    if (!this.#nodes.includes(id)) return;
    this.#journal.write({ kind: "node", node: id, state: "online", boot });
    this.#away.get(id)?.abort();
    this.#away.delete(id);
    const before = this.#boots.get(id);
    if (before !== undefined && before !== boot) this.#tell(`${id} was restarted in the midst of it`);
  };

  readonly #offline = ({ id, boot }: LabNodeState): void => {
    if (!this.#nodes.includes(id)) return;
    this.#journal.write({ kind: "node", node: id, state: "offline", boot });
    this.#away.get(id)?.abort();
    const patience = new AbortController();
    this.#away.set(id, patience);
    void sleep(patienceMilliseconds, undefined, { signal: patience.signal }).then(
      () => this.#tell(`${id} was lost in the midst of it`),
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
  const limit = timeLimit(milliseconds, stop);
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
