import { type CarriedOn, carry } from "@offloadlab/hardware/carrier";
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

/** Why an open run has no answer: not because of its tensor. */
export class RunnerEnded extends RangeError {}

interface Call {
  resolve(inference: Inference): void;
  reject(failure: Failure): void;
}

/**
 * Starts a runner and loads the model in it.
 *
 * @param onEnd called when the runner has ended, however it did, before any open call is rejected
 * @throws Failure `classifier/unloadable` when the model does not load or does not fit its card
 */
export const startInference = (
  data: WorkerData,
  where: CarriedOn,
  onEnd: (how: string) => void,
): Promise<InferenceRunner> => {
  const carrier = carry<WorkerRequest, WorkerAnswer>(workerFile, where, "the inference", data);
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
