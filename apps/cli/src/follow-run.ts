import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "@offloadlab/protocol";
import { minutes, type ProgressLine } from "./output.ts";
import type { RunView, StationClient } from "./station-client.ts";

const pollMilliseconds = 500;
/** A C-BS that was killed is back within this time, if anyone starts it again. */
const patienceMilliseconds = 45_000;

export const isOver = ({ state }: RunView): boolean =>
  state === "complete" || state === "invalid" || state === "interrupted";

/**
 * Follows a run to its end, one progress line at a time; a C-BS that is away for a moment is waited for.
 *
 * @throws Failure `peer/unreachable` when it stays away
 */
export const followRun = async (station: StationClient, id: string, progress: ProgressLine): Promise<RunView> => {
  let heard = performance.now();
  for (;;) {
    try {
      const run = await station.run(id);
      heard = performance.now();
      if (isOver(run)) return run;
      progress.update(`${run.state} ${run.trial?.number}`, progressText(run));
    } catch (error) {
      if (!(error instanceof Failure) || performance.now() - heard > patienceMilliseconds) throw error;
      progress.update("the C-BS does not answer, waiting for it");
    }
    await sleep(pollMilliseconds);
  }
};

const progressText = (run: RunView): string => {
  if (run.state === "preparing") return "waiting for the nodes";
  if (run.state === "sealing") return "collecting the journals and sealing the archive";
  const { policy = "", repeats } = run.trial ?? {};
  const number = repeats ?? run.trial?.number ?? 0;
  if (number === 0) return `warming up  (clock ${run.clockSpeed}x)`;
  return `trial ${number} of ${run.trialCount}${repeats === undefined ? "" : " again"}: ${policy.padEnd(6)}  ${minutes(run.remainingSeconds)} left  (clock ${run.clockSpeed}x)`;
};
