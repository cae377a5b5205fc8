import { type CarriedOn, type Carrier, carry } from "@offloadlab/hardware/carrier";
import type { AgentWeights, Losses, Proximal, Transition } from "@offloadlab/learning";
import { Failure, messageOf } from "@offloadlab/protocol";
import type { Learner, LearnerReport } from "./federation-client.ts";
import { LearnerMemory } from "./learner-memory.ts";
import type { LearnerAnswer, LearnerData, LearnerRequest, LearnerSnapshot } from "./learner-messages.ts";

// Bundled, this module is a part of dist/mec.mjs, and the learner's program lies beside it.
const program = import.meta.url.endsWith(".ts")
  ? new URL("./learner-program-from-source.mjs", import.meta.url)
  : new URL("./mec-learner.mjs", import.meta.url);

/** Processes that die one after the other, without an update or an answer in between, die of what they are given. */
const mostDeathsInARow = 3;

/** What updates came to since somebody last asked. */
export interface LearnedSums {
  readonly updates: number;
  /** Mean over the updates that have one, by network. */
  readonly losses: Losses;
  /** Processes that ended by themselves and were followed by another one. */
  readonly deaths: number;
}

/** Where a learner runs. */
export interface LearnerPlace {
  /** A process survives when ONNX Runtime aborts, as it may on boards: another one goes on. */
  readonly on: CarriedOn;
  /** Told of each process that ended by itself and is followed by another one. */
  readonly onDeath: (how: string) => void;
}

/** A call that waits for its answer. */
interface OpenCall {
  readonly request: LearnerRequest;
  resolve(value: unknown): void;
  reject(error: Failure): void;
}

/**
 * A learner beside the event loop: the daemon hands it transitions and is given weights, and never waits for it.
 *
 * Where it is a process that dies, another one goes on from what `LearnerMemory` knows, and is asked what the one before
 * has not answered.
 */
export class LiveLearner implements Learner {
  readonly #data: LearnerData;
  readonly #place: LearnerPlace;
  readonly #onWeights: (weights: AgentWeights) => void;
  readonly #calls = new Map<number, OpenCall>();
  readonly #memory = new LearnerMemory();
  readonly #exited: Promise<void>;
  #exit: () => void = () => {};
  #carrier: Carrier<LearnerRequest, LearnerAnswer> | undefined;
  #nextId = 0;
  #updates = 0;
  #sums: Record<string, { sum: number; count: number }> = {};
  #deaths = 0;
  #deathsInARow = 0;
  #isClosed = false;
  #failure: Failure | undefined;

  private constructor(data: LearnerData, place: LearnerPlace, onWeights: (weights: AgentWeights) => void) {
    this.#data = data;
    this.#place = place;
    this.#onWeights = onWeights;
    this.#exited = new Promise((resolve) => {
      this.#exit = resolve;
    });
  }

  /**
   * Starts the learner.
   *
   * @param onWeights is given the weights to act with after each update, and those that a federation has mixed
   * @throws Failure `peer/unreachable` when it does not start
   */
  static async start(
    data: LearnerData,
    onWeights: (weights: AgentWeights) => void,
    place: LearnerPlace,
  ): Promise<LiveLearner> {
    const learner = new LiveLearner(data, place, onWeights);
    await new Promise<void>((resolve, reject) => {
      learner.#begin(resolve);
      void learner.#exited.then(() => reject(learner.#failure));
    });
    return learner;
  }

  /** Random draws of an epoch of its own. */
  beginEpoch(epoch: number): void {
    this.#memory.beganEpoch(epoch);
    this.#post({ kind: "begin-epoch", epoch });
  }

  /** Remembers a transition, and learns. @param transition handed over: its arrays may be empty afterwards */
  learn(transition: Transition, updates: number): void {
    // A thread empties it, and no other thread follows.
    if (this.#place.on === "process") this.#memory.given(transition);
    const { state, action, reward, next } = transition;
    const buffers = [state, action, reward, next].map(({ buffer }) => buffer as ArrayBuffer);
    this.#post({ kind: "learn", transition, updates }, buffers);
  }

  /** What the updates since the last call came to. */
  takeSums(): LearnedSums {
    const losses = Object.entries(this.#sums).map(([name, { sum, count }]) => [name, sum / count] as const);
    const sums = { updates: this.#updates, losses: Object.fromEntries(losses), deaths: this.#deaths };
    this.#updates = 0;
    this.#sums = {};
    this.#deaths = 0;
    return sums;
  }

  async report(): Promise<LearnerReport> {
    return (await this.#call({ kind: "report" })) as LearnerReport;
  }

  async adopt(weights: AgentWeights, proximal: Proximal | undefined, startsAnew: boolean): Promise<void> {
    await this.#call({ kind: "adopt", weights, proximal, startsAnew }, () => {
      this.#memory.adopted(weights, proximal, startsAnew);
      this.#onWeights(weights);
    });
  }

  async pull(proximal: Proximal): Promise<void> {
    await this.#call({ kind: "pull", proximal }, () => this.#memory.pulled(proximal));
  }

  /** What it has learned and remembers, and what of it no round has had yet, to go on from. */
  async snapshot(): Promise<LearnerSnapshot> {
    const included = this.#memory.size;
    const keep = (snapshot: unknown): void => this.#memory.saved(snapshot as LearnerSnapshot, included);
    return (await this.#call({ kind: "snapshot" }, keep)) as LearnerSnapshot;
  }

  /** Goes on from a snapshot, before it learns anything else. */
  async restore(snapshot: LearnerSnapshot): Promise<void> {
    await this.#call({ kind: "restore", snapshot }, () => this.#memory.restored(snapshot));
  }

  /** Ends the learner after what it was given; updates that it owes are not done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#post({ kind: "close" });
    await this.#exited;
  }

  #begin(onReady: () => void): void {
    const { on } = this.#place;
    const carrier = carry<LearnerRequest, LearnerAnswer>(program, on, "the learner's", this.#data);
    this.#carrier = carrier;
    carrier.onAnswer((answer) => {
      // What one that has died had still said, the next one says again.
      if (carrier !== this.#carrier) return;
      if (answer.kind === "ready") onReady();
      else this.#receive(answer);
    });
    carrier.onEnd((how, cause) => {
      this.#deathsInARow += 1;
      // A thread ends by a mistake alone.
      if (on === "process" && !this.#isClosed && this.#deathsInARow <= mostDeathsInARow) this.#goOn(how, onReady);
      else this.#fail(how, cause);
    });
  }

  /** Another process, brought to where the last one was. It hears in the order in which it is told: it need not be waited for. */
  #goOn(how: string, onReady: () => void): void {
    this.#deaths += 1;
    this.#place.onDeath(how);
    this.#begin(onReady);
    for (const request of this.#memory.requests()) this.#post(request);
    for (const { request } of this.#calls.values()) this.#post(request);
  }

  #fail(how: string, cause: unknown): void {
    const why = cause === undefined ? "" : `: ${messageOf(cause)}`;
    const often = this.#deathsInARow > 1 ? `, as the ${this.#deathsInARow - 1} before it` : "";
    this.#failure = new Failure("peer/unreachable", `${how}${often}${why}`, { cause });
    for (const { reject } of this.#calls.values()) reject(this.#failure);
    this.#calls.clear();
    this.#exit();
  }

  #receive(answer: Exclude<LearnerAnswer, { readonly kind: "ready" }>): void {
    if (answer.kind === "learned") {
      this.#deathsInARow = 0;
      this.#updates += 1;
      for (const [name, loss] of Object.entries(answer.losses)) {
        const { sum, count } = this.#sums[name] ?? { sum: 0, count: 0 };
        this.#sums[name] = { sum: sum + loss, count: count + 1 };
      }
      this.#memory.learned(answer.weights);
      this.#onWeights(answer.weights);
      return;
    }
    const call = this.#calls.get(answer.id);
    if (call === undefined) return;
    this.#deathsInARow = 0;
    this.#calls.delete(answer.id);
    call.resolve(answer.value);
  }

  /** @param keep done with the answer before anything else is heard */
  #call(request: DistributiveOmit<LearnerRequest, "id">, keep: (answer: unknown) => void = () => {}): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      const whole = { ...request, id } as LearnerRequest;
      const answered = (answer: unknown): void => {
        keep(answer);
        resolve(answer);
      };
      this.#calls.set(id, { request: whole, resolve: answered, reject });
      this.#post(whole);
    });
  }

  #post(request: LearnerRequest, transfer: ArrayBuffer[] = []): void {
    if (this.#failure === undefined) this.#carrier?.post(request, transfer);
  }
}

type DistributiveOmit<T, K extends keyof never> = T extends unknown ? Omit<T, K> : never;
