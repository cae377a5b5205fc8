import { setTimeout as sleep } from "node:timers/promises";
import { type ModelRunner, NoAnswer, type OpenModel, PolicyProblem } from "@offloadlab/deployed";
import { type CarriedOn, type Carrier, carry } from "@offloadlab/hardware/carrier";
import type { Seconds } from "@offloadlab/units";
import type { ModelAnswer, ModelData, ModelRequest } from "./model-messages.ts";

// Bundled, this module is a part of dist/mec.mjs, and the worker's program lies beside it.
const workerFile = import.meta.url.endsWith(".ts")
  ? new URL("./model-worker-from-source.mjs", import.meta.url)
  : new URL("./mec-model.mjs", import.meta.url);

/**
 * Opens models so that ONNX Runtime runs beside the event loop, which it would block.
 *
 * @param on in a process of its own it may abort as well: Fair decides until the next one has started
 * @param onDeath told of each worker that ended by itself
 */
export const modelsBeside =
  (on: CarriedOn, onDeath: (how: string) => void): OpenModel =>
  async (bytes, card, n, file) => {
    const runner = new CarriedModel({ bytes, card, n, file }, on, onDeath);
    await runner.start();
    return runner;
  };

interface Call {
  resolve(action: Float32Array): void;
  reject(error: Error): void;
}

class CarriedModel implements ModelRunner {
  readonly #data: ModelData;
  readonly #on: CarriedOn;
  readonly #onDeath: (how: string) => void;
  readonly #calls = new Map<number, Call>();
  #carrier: Promise<Carrier<ModelRequest, ModelAnswer>> | undefined;
  /** The run before; a model that is too slow falls no further behind than one run. */
  #last: Promise<unknown> = Promise.resolve();
  #nextId = 0;
  #isClosed = false;

  constructor(data: ModelData, on: CarriedOn, onDeath: (how: string) => void) {
    this.#data = data;
    this.#on = on;
    this.#onDeath = onDeath;
  }

  /** Starts a worker unless one runs. @throws PolicyProblem when the model cannot be loaded */
  start(): Promise<Carrier<ModelRequest, ModelAnswer>> {
    this.#carrier ??= this.#start();
    return this.#carrier;
  }

  async answer(features: Float32Array, within?: Seconds): Promise<Float32Array> {
    const own = features.slice();
    let isLate = false;
    const answered = this.#last.then(() => {
      // Nobody waits for it any more: the next one may begin.
      if (isLate) throw new NoAnswer("late", "no answer in time");
      return this.#run(own);
    });
    this.#last = answered.catch(() => undefined);
    if (within === undefined) return answered;
    const over = new AbortController();
    const late = sleep(within * 1000, undefined, { signal: over.signal }).then(() => {
      isLate = true;
      throw new NoAnswer("late", "no answer in time");
    });
    try {
      return await Promise.race([answered, late]);
    } finally {
      over.abort();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const carrier = await this.#carrier?.catch(() => undefined);
    if (carrier === undefined) return;
    const ended = new Promise<void>((resolve) => carrier.onEnd(() => resolve()));
    carrier.end();
    await ended;
  }

  async #run(features: Float32Array<ArrayBuffer>): Promise<Float32Array> {
    const carrier = await this.start();
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#calls.set(id, { resolve, reject });
      carrier.post({ id, features }, [features.buffer]);
    });
  }

  #start(): Promise<Carrier<ModelRequest, ModelAnswer>> {
    const carrier = carry<ModelRequest, ModelAnswer>(workerFile, this.#on, `${this.#data.file}: its`, this.#data);
    return new Promise((resolve, reject) => {
      let problem: PolicyProblem | undefined;
      carrier.onEnd((how) => {
        this.#carrier = undefined;
        if (!this.#isClosed && problem === undefined) this.#onDeath(how);
        reject(problem ?? new PolicyProblem(how));
        for (const id of [...this.#calls.keys()]) this.#settle(id, (call) => call.reject(new NoAnswer("refused", how)));
      });
      carrier.onAnswer((answer) => {
        if (answer.kind === "ready") resolve(carrier);
        else if (answer.kind === "answered") this.#settle(answer.id, (call) => call.resolve(answer.action));
        else if (answer.kind === "unloadable") problem = new PolicyProblem(answer.message);
        else this.#settle(answer.id, (call) => call.reject(new NoAnswer("refused", answer.message)));
      });
    });
  }

  #settle(id: number, use: (call: Call) => void): void {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (call !== undefined) use(call);
  }
}
