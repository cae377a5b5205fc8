export * from "./community.ts";
export type * from "./environment.ts";
export * from "./run.ts";
