import { pfrOa } from "@offloadlab/federation";
import { presets } from "@offloadlab/model";
import type { IdentityFiles } from "@offloadlab/protocol";

/** What every process of the federation is told. */
export interface PartConfig {
  readonly id: string;
  readonly identity: IdentityFiles;
  /** Of the run, on the C-BS; of what must survive a process, on a server. */
  readonly folder: string;
  /** Where it listens. */
  readonly port: number;
  /** Where the one listens that it talks to; 0 of the C-BS. */
  readonly peerPort: number;
}

export const run = "chaos";
export const policy = "pfr-oa";
export const nodes = ["mec-1", "mec-2", "mec-3"];
export const world = presets.testbed;
export const learnerSeed = 1;

export const setupWith = (shapes: Readonly<Record<string, number>>) => ({
  ...{ policy, nodes, shapes, minimumReports: 2, seed: 1 },
  settings: pfrOa,
});

export const unixNow = (): number => (performance.timeOrigin + performance.now()) / 1000;
export const configOfProcess = (): PartConfig => JSON.parse(process.argv[2] ?? "") as PartConfig;
