import { join } from "node:path";

// The CLI runs as dist/cli.mjs; what it starts lies beside it, and the repository around it.
export const distFolder = import.meta.dirname;
const root = join(distFolder, "..");
export const dashboardFolder = join(root, "apps/cbs/dist/dashboard");
export const defaultManifest = join(root, "experiments/heuristics.yaml");
