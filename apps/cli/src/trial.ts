import { tuneEngine } from "@offloadlab/simulation";
import { runTrials, type TrialCost } from "./run-trials.ts";

// `offload trial` as a program of its own, which starts in a part of the time that the whole CLI takes.
const [folder = "", numbers = "", trainings] = process.argv.slice(2);
// Whoever started this process has gone: a trial that nobody waits for would be made a second time beside this one.
const orphaned = (): never => process.exit(1);
process.on("disconnect", orphaned);
tuneEngine();
let saidAt = performance.now();
await runTrials(folder, numbers, trainings, (progress) => {
  if (!process.connected || performance.now() - saidAt < 500) return;
  saidAt = performance.now();
  process.send?.(progress);
});
const { user, system } = process.cpuUsage();
const cost: TrialCost = { processorSeconds: (user + system) / 1e6 };
if (process.send !== undefined) await new Promise((resolve) => process.send?.(cost, resolve));
process.off("disconnect", orphaned);
process.disconnect?.();
