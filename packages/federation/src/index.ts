export * from "./aggregate.ts";
export * from "./mix.ts";
export * from "./proximal.ts";
export * from "./proximal-weight.ts";
export * from "./round.ts";
export * from "./select.ts";
export * from "./selection-counts.ts";
export * from "./settings.ts";
export { areFinite, copyWeights, type Weights } from "./weights.ts";
