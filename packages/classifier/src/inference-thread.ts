import { SHARE_ENV, Worker } from "node:worker_threads";
import { Failure } from "@offloadlab/protocol";
import { type Seconds, seconds } from "@offloadlab/units";
import { workerFile } from "./paths.ts";
import type { WorkerAnswer, WorkerData, WorkerRequest } from "./worker-messages.ts";

/** What one run of the model gives. */
interface Inference {
  readonly outputs: Float32Array<ArrayBuffer>;
  /** In the thread itself, without the way there and back. */
  readonly inferSeconds: Seconds;
}

/** A thread that runs one model, because a run blocks the thread it is on. */
export interface InferenceThread {
  /** Hands the tensor over: its buffer is empty afterwards. Runs are queued. */
  run(tensor: Float32Array<ArrayBuffer>): Promise<Inference>;
  /** Ends the thread once everything it was given is answered. */
  close(): Promise<void>;
}

interface Call {
  resolve(inference: Inference): void;
  reject(failure: Failure): void;
}

/**
 * Starts the thread and loads the model in it.
 *
 * @param onEnd called when the thread has ended, however it did, before any open call is rejected
 * @throws Failure `classifier/unloadable` when the model does not load or does not fit its card
 */
export const startInferenceThread = (data: WorkerData, onEnd: () => void): Promise<InferenceThread> => {
  const worker = new Worker(workerFile, { workerData: data, execArgv: [], env: SHARE_ENV });
  const calls = new Map<number, Call>();
  let nextId = 0;

  const settle = (id: number, use: (call: Call) => void) => {
    const call = calls.get(id);
    calls.delete(id);
    if (call !== undefined) use(call);
  };
  const post = (request: WorkerRequest, transfer: ArrayBuffer[] = []) => worker.postMessage(request, transfer);

  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const thread: InferenceThread = {
    run: (tensor) =>
      new Promise((resolve, reject) => {
        const id = nextId++;
        calls.set(id, { resolve, reject });
        post({ id, tensor }, [tensor.buffer]);
      }),
    close: async () => {
      post("close");
      await exited;
    },
  };

  return new Promise((resolve, reject) => {
    let cause: unknown;
    worker.on("message", (answer: WorkerAnswer) => {
      switch (answer.kind) {
        case "ready":
          resolve(thread);
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
    worker.on("error", (error) => {
      cause = error;
    });
    worker.once("exit", (code) => {
      onEnd();
      const message = `${data.modelFile}: the inference thread ended with code ${code}; the next call starts another`;
      const failure = new Failure("classifier/unloadable", message, { cause });
      reject(failure);
      for (const id of [...calls.keys()]) settle(id, (call) => call.reject(failure));
    });
  });
};

const unloadable = (modelFile: string, message: string): Failure =>
  new Failure(
    "classifier/unloadable",
    `${modelFile}: ${message}; check that the file is a whole ONNX model and that its card describes it`,
  );
