export * from "./check-environment.ts";
export * from "./community.ts";
export * from "./compared-policies.ts";
export type * from "./environment.ts";
export * from "./latencies.ts";
export * from "./oracle.ts";
export * from "./run.ts";
export * from "./training.ts";
export * from "./training-settings.ts";
