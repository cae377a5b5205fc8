import { type ModelRunner, RuntimeModel } from "@offloadlab/deployed";
// Not the whole package: a worker starts as fast as it loads.
import { answerCarrier, carriedData, endCarried, hearRequests } from "@offloadlab/hardware/carrier";
import type { ModelAnswer, ModelData, ModelRequest } from "./model-messages.ts";

const { bytes, card, n, file } = await carriedData<ModelData>();
const answer: (message: ModelAnswer, transfer?: ArrayBuffer[]) => void = answerCarrier;
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const run = async (model: ModelRunner, { id, features }: ModelRequest): Promise<void> => {
  try {
    const action = Float32Array.from(await model.answer(features));
    answer({ kind: "answered", id, action }, [action.buffer]);
  } catch (error) {
    answer({ kind: "failed", id, message: messageOf(error) });
  }
};

await RuntimeModel.open(bytes, card, n, file).then(
  (model) => {
    hearRequests<ModelRequest>((request) => void run(model, request));
    answer({ kind: "ready" });
  },
  (error: unknown) => {
    answer({ kind: "unloadable", message: messageOf(error) });
    endCarried();
  },
);
