export { cardPathOf, type PolicyCard, readCard } from "./card.ts";
export { type ModelRunner, modelPolicy, type OpenModel, RuntimeModel } from "./model-policy.ts";
export { NoAnswer } from "./no-answer.ts";
export { openPolicy, openShipped } from "./open-policy.ts";
export * from "./policy-file.ts";
export { PolicyProblem } from "./problem.ts";
export { type ShippedModels, shipModels, shippedModels } from "./shipped-models.ts";
export { isAddress, isPolicySource, modelFile, type PolicySource, policySource } from "./source.ts";
