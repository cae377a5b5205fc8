import { SHARE_ENV, Worker } from "node:worker_threads";
import type { AgentSnapshot, AgentWeights, Losses, Proximal, Transition } from "@offloadlab/learning";
import { Failure, messageOf } from "@offloadlab/protocol";
import type { Learner, LearnerReport } from "./federation-client.ts";
import type { LearnerAnswer, LearnerData, LearnerRequest } from "./learner-messages.ts";

// Bundled, this module is a part of dist/mec.mjs, and the thread's program lies beside it.
const threadFile = import.meta.url.endsWith(".ts")
  ? new URL("./learner-thread-from-source.mjs", import.meta.url)
  : new URL("./mec-learner.mjs", import.meta.url);

/** What updates came to since somebody last asked. */
export interface LearnedSums {
  readonly updates: number;
  /** Mean over the updates that have one, by network. */
  readonly losses: Losses;
}

/**
 * A learner on a thread of its own: the daemon hands it transitions and is given weights, and never waits for it.
 */
export class LiveLearner implements Learner {
  readonly #worker: Worker;
  readonly #calls = new Map<number, { resolve: (value: unknown) => void; reject: (error: Failure) => void }>();
  readonly #onWeights: (weights: AgentWeights) => void;
  readonly #exited: Promise<void>;
  #nextId = 0;
  #updates = 0;
  #sums: Record<string, { sum: number; count: number }> = {};
  #failure: Failure | undefined;

  private constructor(worker: Worker, onWeights: (weights: AgentWeights) => void) {
    this.#worker = worker;
    this.#onWeights = onWeights;
    worker.on("message", (answer: LearnerAnswer) => this.#receive(answer));
    let cause: unknown;
    worker.on("error", (error) => {
      cause = error;
    });
    this.#exited = new Promise((resolve) => {
      worker.once("exit", () => {
        const why = cause === undefined ? "" : `: ${messageOf(cause)}`;
        this.#failure = new Failure("peer/unreachable", `the learner's thread has ended${why}`, { cause });
        for (const { reject } of this.#calls.values()) reject(this.#failure);
        this.#calls.clear();
        resolve();
      });
    });
  }

  /**
   * Starts the thread.
   *
   * @param onWeights is given the weights to act with after each update, and those that a federation has mixed
   * @throws Failure `peer/unreachable` when it does not start
   */
  static async start(data: LearnerData, onWeights: (weights: AgentWeights) => void): Promise<LiveLearner> {
    const worker = new Worker(threadFile, { workerData: data, execArgv: [], env: SHARE_ENV });
    const learner = new LiveLearner(worker, onWeights);
    await new Promise<void>((resolve, reject) => {
      worker.once("message", () => resolve());
      void learner.#exited.then(() => reject(learner.#failure));
    });
    return learner;
  }

  /** Random draws of an epoch of its own. */
  beginEpoch(epoch: number): void {
    this.#post({ kind: "begin-epoch", epoch });
  }

  /** Remembers a transition, and learns. @param transition handed over: its arrays are empty afterwards */
  learn(transition: Transition, updates: number): void {
    const { state, action, reward, next } = transition;
    const buffers = [state, action, reward, next].map(({ buffer }) => buffer as ArrayBuffer);
    this.#post({ kind: "learn", transition, updates }, buffers);
  }

  /** What the updates since the last call came to. */
  takeSums(): LearnedSums {
    const losses = Object.entries(this.#sums).map(([name, { sum, count }]) => [name, sum / count] as const);
    const sums = { updates: this.#updates, losses: Object.fromEntries(losses) };
    this.#updates = 0;
    this.#sums = {};
    return sums;
  }

  async report(): Promise<LearnerReport> {
    return (await this.#call({ kind: "report" })) as LearnerReport;
  }

  async adopt(weights: AgentWeights, proximal: Proximal | undefined, startsAnew: boolean): Promise<void> {
    await this.#call({ kind: "adopt", weights, proximal, startsAnew });
    this.#onWeights(weights);
  }

  /** What it has learned and remembers, to go on from. */
  async snapshot(): Promise<AgentSnapshot> {
    return (await this.#call({ kind: "snapshot" })) as AgentSnapshot;
  }

  async restore(snapshot: AgentSnapshot): Promise<void> {
    await this.#call({ kind: "restore", snapshot });
  }

  /** Ends the thread after what it was given; updates that it owes are not done. */
  async close(): Promise<void> {
    this.#post({ kind: "close" });
    await this.#exited;
  }

  #receive(answer: LearnerAnswer): void {
    if (answer.kind === "learned") {
      this.#updates += 1;
      for (const [name, loss] of Object.entries(answer.losses)) {
        const { sum, count } = this.#sums[name] ?? { sum: 0, count: 0 };
        this.#sums[name] = { sum: sum + loss, count: count + 1 };
      }
      this.#onWeights(answer.weights);
    } else if (answer.kind === "answer") {
      this.#calls.get(answer.id)?.resolve(answer.value);
      this.#calls.delete(answer.id);
    }
  }

  #call(request: Call): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#calls.set(id, { resolve, reject });
      this.#post({ ...request, id } as LearnerRequest);
    });
  }

  #post(request: LearnerRequest, transfer: ArrayBuffer[] = []): void {
    if (this.#failure === undefined) this.#worker.postMessage(request, transfer);
  }
}

/** Requests that are answered, before they have an id. */
type Call = LearnerRequest extends infer R ? (R extends { readonly id: number } ? Omit<R, "id"> : never) : never;
