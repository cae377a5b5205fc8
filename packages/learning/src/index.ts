export * from "./graph/onnx.ts";
