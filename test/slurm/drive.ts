import { runOnSlurm, type SlurmSweep } from "../../apps/cli/src/slurm.ts";

/** What a process of its own can be told. */
export type DrivenSweep = Omit<SlurmSweep, "onProgress" | "say">;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const sweep = JSON.parse(process.argv[2] ?? "") as DrivenSweep;
await runOnSlurm({ ...sweep, say, onProgress: () => undefined }).catch((error: { code: string; message: string }) =>
  say(`${error.code}: ${error.message}`),
);
