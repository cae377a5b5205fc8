import { join } from "node:path";

// The CLI runs as dist/cli.mjs; what it starts lies beside it, and the repository around it.
export const distFolder = import.meta.dirname;
const root = join(distFolder, "..");
export const dashboardFolder = join(root, "apps/cbs/dist/dashboard");
/** Experiments that come with the project. */
export const experimentsFolder = join(root, "experiments");
export const rehearsalManifest = join(experimentsFolder, "live.yaml");
export const labManifest = join(experimentsFolder, "lab.yaml");
/** Playbooks and roles. */
export const ansibleFolder = join(root, "ansible");
/** Scripts for boards. */
export const firmwareFolder = join(root, "firmware-scripts");
/** The lab that is meant when none is named. */
export const defaultInventory = "inventory/lab.yaml";
