export type * from "./agent.ts";
export * from "./features.ts";
export * from "./graph/onnx.ts";
export { onnxEngine } from "./graph/onnx-engine.ts";
export type * from "./graph/program.ts";
export * from "./network.ts";
export * from "./replay-buffer.ts";
export * from "./td3.ts";
