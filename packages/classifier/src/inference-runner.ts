import { fork } from "node:child_process";
import { SHARE_ENV, Worker } from "node:worker_threads";
import { Failure } from "@offloadlab/protocol";
import { type Seconds, seconds } from "@offloadlab/units";
import { workerFile } from "./paths.ts";
import type { WorkerAnswer, WorkerData, WorkerRequest } from "./worker-messages.ts";

/** What one run of the model gives. */
interface Inference {
  readonly outputs: Float32Array<ArrayBuffer>;
  /** In the runner itself, without the way there and back. */
  readonly inferSeconds: Seconds;
}

/** A thread or a process that runs one model, because a run blocks what it is on. */
export interface InferenceRunner {
  /**
   * Runs are queued.
   *
   * @param tensor handed over to a thread: its buffer is empty afterwards; a process gets a copy
   * @throws Failure `classifier/unloadable`; its cause is `RunnerEnded` when the runner ended before it answered
   */
  run(tensor: Float32Array<ArrayBuffer>): Promise<Inference>;
  /** Ends the runner once everything it was given is answered. */
  close(): Promise<void>;
}

/** Whether the model runs on a thread of this process, or in a process of its own that may abort. */
export type InferenceWhere = "thread" | "process";

/** Why an open run has no answer: not because of its tensor. */
export class RunnerEnded extends RangeError {}

interface Call {
  resolve(inference: Inference): void;
  reject(failure: Failure): void;
}

/** The way to a runner and back. */
interface Carrier {
  post(request: WorkerRequest, transfer?: ArrayBuffer[]): void;
  onAnswer(hear: (answer: WorkerAnswer) => void): void;
  /** Once, however it ended. */
  onEnd(hear: (how: string, cause: unknown) => void): void;
}

const carryThread = (data: WorkerData): Carrier => {
  const worker = new Worker(workerFile, { workerData: data, execArgv: [], env: SHARE_ENV });
  let cause: unknown;
  worker.on("error", (error) => {
    cause = error;
  });
  return {
    post: (request, transfer = []) => worker.postMessage(request, transfer),
    onAnswer: (hear) => worker.on("message", hear),
    onEnd: (hear) => worker.once("exit", (code) => hear(`the inference thread ended with code ${code}`, cause)),
  };
};

/** The process ends when this one does: its only input is the channel between them. */
const carryProcess = (data: WorkerData): Carrier => {
  const child = fork(workerFile, [JSON.stringify(data)], {
    execArgv: [],
    serialization: "advanced",
    env: { ...process.env, ORT_DISABLE_TELEMETRY: "1" },
  });
  return {
    // A request to a process that has just ended is answered by that end.
    post: (request) => void child.send(request, () => undefined),
    onAnswer: (hear) => child.on("message", (answer) => hear(answer as WorkerAnswer)),
    onEnd: (hear) => {
      // What could not be started tells so, and then may end as well.
      let told = false;
      const tell = (how: string, cause?: unknown): void => {
        if (!told) hear(how, cause);
        told = true;
      };
      child.once("error", (error) => tell(`the inference process could not be started: ${error.message}`, error));
      child.once("exit", (code, signal) => tell(`the inference process ended with ${signal ?? `code ${code}`}`));
    },
  };
};

/**
 * Starts a runner and loads the model in it.
 *
 * @param onEnd called when the runner has ended, however it did, before any open call is rejected
 * @throws Failure `classifier/unloadable` when the model does not load or does not fit its card
 */
export const startInference = (
  data: WorkerData,
  where: InferenceWhere,
  onEnd: (how: string) => void,
): Promise<InferenceRunner> => {
  const carrier = where === "thread" ? carryThread(data) : carryProcess(data);
  const calls = new Map<number, Call>();
  let nextId = 0;

  const settle = (id: number, use: (call: Call) => void) => {
    const call = calls.get(id);
    calls.delete(id);
    if (call !== undefined) use(call);
  };

  return new Promise((resolve, reject) => {
    const ended = new Promise<void>((end) => {
      carrier.onEnd((how, cause) => {
        onEnd(how);
        const message = `${data.modelFile}: ${how}; the next call starts another`;
        const failure = new Failure("classifier/unloadable", message, { cause: new RunnerEnded(how, { cause }) });
        reject(failure);
        for (const id of [...calls.keys()]) settle(id, (call) => call.reject(failure));
        end();
      });
    });
    const runner: InferenceRunner = {
      run: (tensor) =>
        new Promise((inferred, failed) => {
          const id = nextId++;
          calls.set(id, { resolve: inferred, reject: failed });
          carrier.post({ id, tensor }, [tensor.buffer]);
        }),
      close: async () => {
        carrier.post("close");
        await ended;
      },
    };
    carrier.onAnswer((answer) => {
      switch (answer.kind) {
        case "ready":
          resolve(runner);
          break;
        case "unloadable":
          reject(unloadable(data.modelFile, answer.message));
          break;
        case "inferred":
          settle(answer.id, (call) =>
            call.resolve({ outputs: answer.outputs, inferSeconds: seconds(answer.inferSeconds) }),
          );
          break;
        case "failed":
          settle(answer.id, (call) => call.reject(unloadable(data.modelFile, answer.message)));
          break;
      }
    });
  });
};

const unloadable = (modelFile: string, message: string): Failure =>
  new Failure(
    "classifier/unloadable",
    `${modelFile}: ${message}; check that the file is a whole ONNX model and that its card describes it`,
  );
