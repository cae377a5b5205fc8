export { cardPathOf, readCard } from "./card.ts";
export { modelPolicy } from "./model-policy.ts";
export { openPolicy } from "./open-policy.ts";
export * from "./policy-file.ts";
export { PolicyProblem } from "./problem.ts";
export { isPolicySource, modelFile, type PolicySource, policySource } from "./source.ts";
