import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import type { CarriedOn } from "@offloadlab/hardware/carrier";
import { Failure, messageOf } from "@offloadlab/protocol";
import { type Seconds, seconds } from "@offloadlab/units";
import { type Card, readCard } from "./card.ts";
import { decodeImage } from "./decode.ts";
import { type InferenceRunner, RunnerEnded, startInference } from "./inference-runner.ts";
import { embeddedModel } from "./paths.ts";
import type { WorkerData } from "./worker-messages.ts";

/** What the model says of one image. */
export interface Classification {
  readonly label: string;
  /** Of the label in the card. */
  readonly index: number;
  /** One for each label of the card; they sum to 1. */
  readonly probabilities: Float32Array<ArrayBuffer>;
  /** From the image's bytes to the tensor; 0 when a tensor was given. */
  readonly decodeSeconds: Seconds;
  /** Of the model alone, without the wait for its turn. */
  readonly inferSeconds: Seconds;
}

/** A model ready to run, beside the event loop. */
export interface Classifier {
  readonly card: Card;
  /** Of the ONNX file, in hexadecimal. */
  readonly sha256: string;
  /**
   * Decodes and classifies a JPEG or PNG. Calls may overlap: one image is decoded while the model runs on another.
   *
   * @throws Failure `image/unreadable`, or `classifier/unloadable` when its thread dies, which the next call starts again;
   * of a process that dies a second one is asked first
   */
  classify(image: Uint8Array): Promise<Classification>;
  /**
   * Classifies a decoded image.
   *
   * @param tensor in the card's layout; it is handed over, its buffer may be empty afterwards
   * @throws RangeError when the tensor is not of the card's size
   */
  infer(tensor: Float32Array<ArrayBuffer>): Promise<Classification>;
  /** Whether its runner has the model loaded; one that has died is started again first. */
  ready(): Promise<boolean>;
  /** Answers what is open, then ends the runner. Calls after this are a mistake. */
  close(): Promise<void>;
}

/**
 * Loads a model and the card of the same name beside it.
 *
 * @param options.threads threads of one inference; 1 leaves the other cores to the device
 * @param options.where a process costs a copy of every tensor, and survives what ONNX Runtime may do on a board: abort
 * @param options.onDeath told once of each runner that ended by itself, busy or idle; what is asked of the model starts another one
 * @throws Failure `classifier/unloadable` when a file is missing or the model does not fit its card, `config/invalid` for a wrong card
 */
export const openClassifier = async (
  modelFile: string = embeddedModel,
  options: {
    readonly threads?: number;
    readonly where?: CarriedOn;
    readonly onDeath?: (how: string) => void;
  } = {},
): Promise<Classifier> => {
  const { threads = 1, where = "thread", onDeath = () => {} } = options;
  if (!Number.isSafeInteger(threads) || threads < 1) throw new RangeError(`Expected at least 1 thread, got ${threads}`);
  const file = resolve(modelFile);
  const card = await readCard(join(dirname(file), `${basename(file, extname(file))}.yaml`));
  const sha256 = await digestOf(file);
  const inputShape = inputShapeOf(card);
  const inputSize = inputShape.reduce((product, size) => product * size, 1);
  const data: WorkerData = {
    modelFile: file,
    inputName: card.input.name,
    inputShape,
    outputName: card.output.name,
    labelCount: card.labels.length,
    threads,
  };

  let opened = false;
  let closed = false;
  let runner: Promise<InferenceRunner> | undefined;
  const running = (): Promise<InferenceRunner> => {
    runner ??= startInference(data, where, (how) => {
      runner = undefined;
      if (opened && !closed) onDeath(how);
    });
    return runner;
  };

  /** A process that dies takes its tasks along; this one still has their tensors, and gives them to a second one. */
  const lasting = async <T>(use: (current: InferenceRunner) => Promise<T>): Promise<T> => {
    const once = async (): Promise<T> => use(await running());
    if (where === "thread") return once();
    return once().catch((error: unknown) => {
      if (!(error instanceof Failure) || !(error.cause instanceof RunnerEnded)) throw error;
      return once();
    });
  };

  const openCalls = new Set<Promise<Classification>>();
  const accept = async (call: () => Promise<Classification>): Promise<Classification> => {
    if (closed) throw new RangeError(`The classifier of ${file} is closed`);
    const answer = call();
    openCalls.add(answer);
    try {
      return await answer;
    } finally {
      openCalls.delete(answer);
    }
  };

  const classifyTensor = async (tensor: Float32Array<ArrayBuffer>, decodeSeconds: Seconds): Promise<Classification> => {
    const { outputs, inferSeconds } = await lasting((current) => current.run(tensor));
    const probabilities = card.output.kind === "logits" ? softmax(outputs) : outputs;
    const index = probabilities.reduce((best, value, i) => (value > (probabilities[best] as number) ? i : best), 0);
    return { label: card.labels[index] as string, index, probabilities, decodeSeconds, inferSeconds };
  };

  await running();
  opened = true;
  return {
    card,
    sha256,
    classify: (image) =>
      accept(async () => {
        const start = performance.now();
        const tensor = await decodeImage(image, card);
        return classifyTensor(tensor, seconds((performance.now() - start) / 1000));
      }),
    infer: (tensor) =>
      accept(async () => {
        if (tensor.length !== inputSize) {
          throw new RangeError(`Expected ${inputSize} values [${inputShape.join(", ")}], got ${tensor.length}`);
        }
        // A view is copied: handing over its buffer would empty the caller's other views too.
        const whole = tensor.byteLength === tensor.buffer.byteLength ? tensor : tensor.slice();
        return classifyTensor(whole, seconds(0));
      }),
    ready: async () => !closed && (await lasting(async () => true).catch(() => false)),
    close: async () => {
      closed = true;
      await Promise.allSettled(openCalls);
      // A runner that could not be started again has nothing to close.
      await runner?.then(
        (started) => started.close(),
        () => {},
      );
    },
  };
};

const inputShapeOf = ({ input: { layout, width, height } }: Card): number[] =>
  layout === "nchw" ? [1, 3, height, width] : [1, height, width, 3];

const digestOf = async (file: string): Promise<string> => {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash).catch((error: unknown) => {
    throw new Failure("classifier/unloadable", `${file}: expected an ONNX model, ${messageOf(error)}`, {
      cause: error,
    });
  });
  return hash.digest("hex");
};

const softmax = (logits: Float32Array): Float32Array<ArrayBuffer> => {
  const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = Float32Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
};
