// Not the whole package: a worker starts as fast as it loads.
import { answerCarrier, carriedData, endCarried, hearRequests } from "@offloadlab/hardware/carrier";
import { stayInBackground } from "@offloadlab/hardware/threads";
import type { InferenceSession } from "onnxruntime-node";
import type { WorkerAnswer, WorkerData, WorkerRequest } from "./worker-messages.ts";

// ONNX Runtime asks the process, not the thread: this reaches it because the thread shares the environment (SHARE_ENV).
Object.assign(process.env, { ORT_DISABLE_TELEMETRY: "1" });
const { InferenceSession: Session, Tensor } = await import("onnxruntime-node");

stayInBackground();

const { modelFile, inputName, inputShape, outputName, labelCount, threads } = await carriedData<WorkerData>();

const answer: (message: WorkerAnswer, transfer?: ArrayBuffer[]) => void = answerCarrier;

const open = async (): Promise<InferenceSession> => {
  const session = await Session.create(modelFile, {
    graphOptimizationLevel: "all",
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionProviders: ["cpu"],
    logSeverityLevel: 3,
  });
  checkInput(session);
  // The first inference also allocates: it is not the one to be measured.
  const outputs = await infer(session, new Float32Array(inputShape.reduce((product, size) => product * size, 1)));
  if (outputs.length !== labelCount)
    throw new RangeError(`the card has ${labelCount} labels, the model ${outputs.length} outputs`);
  return session;
};

const checkInput = (session: InferenceSession): void => {
  const inputs = session.inputMetadata.map(
    (input) => `\`${input.name}\` ${input.isTensor ? `${input.type} [${input.shape.join(", ")}]` : ""}`,
  );
  const input = session.inputMetadata[0];
  const fits =
    inputs.length === 1 &&
    input?.name === inputName &&
    input.isTensor &&
    input.type === "float32" &&
    input.shape.length === inputShape.length &&
    input.shape.every((size, i) => typeof size === "string" || size < 0 || size === inputShape[i]);
  if (!fits)
    throw new RangeError(
      `the card has the input \`${inputName}\` float32 [${inputShape.join(", ")}], the model ${inputs.join(" and ")}`,
    );
  if (!session.outputNames.includes(outputName)) {
    throw new RangeError(
      `the card has the output \`${outputName}\`, the model \`${session.outputNames.join("`, `")}\``,
    );
  }
};

const infer = async (session: InferenceSession, tensor: Float32Array): Promise<Float32Array<ArrayBuffer>> => {
  const { [outputName]: output } = await session.run({ [inputName]: new Tensor("float32", tensor, inputShape) }, [
    outputName,
  ]);
  if (!(output?.data instanceof Float32Array))
    throw new RangeError(`the output \`${outputName}\` is ${output?.type}, expected float32`);
  return Float32Array.from(output.data);
};

const serve = (session: InferenceSession): void => {
  // One after the other, so that the time of one inference holds nothing of the next.
  let last = Promise.resolve();
  const hear = (request: WorkerRequest): void => {
    last = last.then(() => (request === "close" ? endCarried() : handle(session, request)));
  };
  hearRequests(hear);
  answer({ kind: "ready" });
};

const handle = async (session: InferenceSession, { id, tensor }: Exclude<WorkerRequest, "close">): Promise<void> => {
  try {
    const start = performance.now();
    const outputs = await infer(session, tensor);
    answer({ kind: "inferred", id, outputs, inferSeconds: (performance.now() - start) / 1000 }, [outputs.buffer]);
  } catch (error) {
    answer({ kind: "failed", id, message: messageOf(error) });
  }
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

await open().then(serve, (error: unknown) => {
  answer({ kind: "unloadable", message: messageOf(error) });
  // Its channel would keep a process alive.
  endCarried();
});
