import { fileURLToPath } from "node:url";

// From TypeScript this module lies in packages/classifier/src. Bundled it is a part of dist/<app>.mjs, and the build puts
// the model into dist/classifier/ and the worker beside the bundle.
const fromSource = import.meta.url.endsWith(".ts");

/** The model that comes with the project: it names what `generateImage` shows. Its card is `embedded.yaml` beside it. */
export const embeddedModel = fileURLToPath(
  new URL(fromSource ? "../models/embedded.onnx" : "./classifier/embedded.onnx", import.meta.url),
);

/** The program of the inference thread. */
export const workerFile = fromSource
  ? new URL("./worker-from-source.mjs", import.meta.url)
  : new URL("./classifier-worker.mjs", import.meta.url);
