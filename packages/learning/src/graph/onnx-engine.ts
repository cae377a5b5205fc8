import type { InferenceSession, Tensor } from "onnxruntime-node";
import { lower } from "./lower.ts";
import { encodeModel } from "./onnx.ts";
import { type Engine, fed, type Input, inputsOf, type Program, type Values } from "./program.ts";

// Read when the runtime loads: no telemetry leaves this machine.
Object.assign(process.env, { ORT_DISABLE_TELEMETRY: "1" });

/** One thread: learners run beside each other, and one thread gives the same bytes on every run. */
export const sessionOptions = {
  executionProviders: ["cpu"],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: "sequential",
  graphOptimizationLevel: "all",
  logSeverityLevel: 3,
} as const satisfies InferenceSession.SessionOptions;

/** ONNX Runtime. */
export const onnxEngine: Engine = {
  name: "onnx",
  async open(name, outputs) {
    const { InferenceSession, Tensor } = await import("onnxruntime-node");
    const session = await InferenceSession.create(encodeModel(lower(name, outputs)), sessionOptions);
    return new OnnxProgram(session, Tensor, inputsOf(Object.values(outputs)));
  },
};

class OnnxProgram implements Program {
  readonly #session: InferenceSession;
  readonly #Tensor: typeof Tensor;
  readonly #inputs: readonly Input[];

  constructor(session: InferenceSession, tensor: typeof Tensor, inputs: readonly Input[]) {
    this.#session = session;
    this.#Tensor = tensor;
    this.#inputs = inputs;
  }

  async run(feeds: Values): Promise<Values> {
    const tensors: Record<string, Tensor> = {};
    for (const input of this.#inputs) {
      tensors[input.name] = new this.#Tensor("float32", fed(feeds, input), input.shape);
    }
    const results = await this.#session.run(tensors);
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]));
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}
