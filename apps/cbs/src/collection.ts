import { setTimeout as sleep } from "node:timers/promises";
import type { RunFile, ToStation } from "@offloadlab/protocol";
import { runFiles } from "@offloadlab/protocol";
import type { LabNodeState, Registry } from "./registry.ts";
import type { RunFolder } from "./run-folder.ts";

/** How long a node that is away may take to come back with the rest of its files, real time. */
const returnMilliseconds = 12_000;

/**
 * Receives the journals and logs of a run while it lasts and completes them at its end.
 *
 * Nodes keep the files; after a reconnection of either side they are told what is here and go on from there.
 */
export class Collection {
  readonly #run: string;
  readonly #nodes: readonly string[];
  readonly #folder: RunFolder;
  readonly #registry: Registry;
  readonly #waiting = new Map<string, () => void>();
  readonly #arrivals = new Set<{ node: string; bytes: number; resolve: () => void }>();
  /** Nodes that know of the run. */
  readonly #opened = new Set<string>();
  readonly #closed = new Map<string, Record<RunFile, number>>();
  #closing = false;

  constructor(run: string, nodes: readonly string[], folder: RunFolder, registry: Registry) {
    this.#run = run;
    this.#nodes = nodes;
    this.#folder = folder;
    this.#registry = registry;
    registry.on("online", this.#onOnline);
    registry.on("message", this.#onMessage);
  }

  /** Tells every node that the run is open. */
  async open(): Promise<void> {
    for (const id of this.#nodes) {
      const node = this.#registry.find(id);
      if (node?.online === true) await this.#openAt(node);
    }
  }

  /**
   * Closes the run on every node and waits for the rest of their files.
   *
   * @returns what is missing, one sentence for each node
   */
  async close(): Promise<string[]> {
    this.#closing = true;
    const over = new AbortController();
    const limit = sleep(returnMilliseconds, undefined, { signal: over.signal }).catch(() => undefined);
    const missing = await Promise.all(
      [...this.#opened].map(async (node) => {
        const complete = new Promise<null>((resolve) => this.#waiting.set(node, () => resolve(null)));
        this.#registry.send(node, { type: "close", run: this.#run });
        await this.#settle(node);
        return Promise.race([complete, limit.then(() => `the journal of ${node} could not be collected to its end`)]);
      }),
    );
    over.abort();
    this.#registry.off("online", this.#onOnline);
    this.#registry.off("message", this.#onMessage);
    return missing.filter((what) => what !== null);
  }

  /** Resolves when a node's journal is here up to a size. */
  async arrival(node: string, bytes: number): Promise<void> {
    if ((await this.#folder.size(node, "journal")) >= bytes) return;
    await new Promise<void>((resolve) => this.#arrivals.add({ node, bytes, resolve }));
  }

  readonly #onOnline = (node: LabNodeState): void => {
    if (this.#nodes.includes(node.id)) void this.#openAt(node);
  };

  readonly #onMessage = (node: string, message: ToStation): void => {
    if (message.type === "append" && message.run === this.#run && this.#nodes.includes(node))
      void this.#append(node, message);
    if (message.type === "closed" && message.run === this.#run) {
      this.#closed.set(node, { journal: message.journalBytes, log: message.logBytes });
      void this.#settle(node);
    }
  };

  async #openAt(node: LabNodeState): Promise<void> {
    const [journalBytes, logBytes] = await Promise.all([
      this.#folder.size(node.id, "journal"),
      this.#folder.size(node.id, "log"),
    ]);
    await this.#folder.writeEnvironment(node.id, { hardware: node.hardware, boot: node.boot, ...node.environment });
    this.#opened.add(node.id);
    this.#registry.send(node.id, { type: "open", run: this.#run, journalBytes, logBytes });
    if (this.#closing) this.#registry.send(node.id, { type: "close", run: this.#run });
  }

  async #append(node: string, { file, offset, text }: ToStation & { type: "append" }): Promise<void> {
    const size = await this.#folder.append({ node, file, offset, text });
    this.#registry.send(node, { type: "have", run: this.#run, file, offset: size });
    await this.#settle(node);
  }

  async #settle(node: string): Promise<void> {
    const journalBytes = await this.#folder.size(node, "journal");
    for (const arrival of this.#arrivals) {
      if (arrival.node !== node || journalBytes < arrival.bytes) continue;
      this.#arrivals.delete(arrival);
      arrival.resolve();
    }
    const sizes = this.#closed.get(node);
    if (sizes === undefined) return;
    for (const file of runFiles) if ((await this.#folder.size(node, file)) < sizes[file]) return;
    this.#waiting.get(node)?.();
  }
}
