import type { LiveRun, LiveSnapshot } from "@offloadlab/protocol";
import { share } from "./format.ts";

/** How a state of the run is put to the reader. */
export interface StateView {
  readonly label: string;
  readonly meaning: string;
}

export const stateViews: Readonly<Record<LiveRun["state"], StateView>> = {
  preparing: { label: "preparing", meaning: "The nodes are getting ready for the first trial." },
  running: { label: "running", meaning: "Trials are being run." },
  sealing: { label: "sealing", meaning: "All trials have ended; the archive is being reconciled and sealed." },
  complete: { label: "complete", meaning: "All trials have ended and the archive is sealed." },
  invalid: { label: "invalid", meaning: "The run broke a rule it set itself: do not use its figures." },
  interrupted: { label: "interrupted", meaning: "The run was stopped before its last trial." },
};

/** `trial 3 of 20`, or what to say before the first one. */
export const trialText = (run: LiveRun): string =>
  run.trial > 0 ? `Trial ${run.trial} of ${run.trialCount}` : `Before trial 1 of ${run.trialCount}`;

/** Share of the trial's lab time that has passed. */
export const trialProgress = (run: LiveRun): number => share(run.trialSeconds, run.epochSeconds);

/** Share of the whole run that has passed, counted in trials. */
export const runProgress = (run: LiveRun): number => {
  if (run.state === "complete" || run.state === "sealing") return 1;
  return run.trial > 0 ? share(run.trial - 1 + trialProgress(run), run.trialCount) : 0;
};

/** Real time until the trial's end. */
export const trialSecondsLeft = (run: LiveRun): number =>
  run.clockSpeed > 0 ? Math.max(0, run.epochSeconds - run.trialSeconds) / run.clockSpeed : Number.NaN;

/** Whether figures can still change. */
export const isUnderWay = (run: LiveRun): boolean => run.state === "preparing" || run.state === "running";

/** The browser tab's title: the run can be followed from another tab. */
export const pageTitle = (snapshot: LiveSnapshot | null): string => {
  const run = snapshot?.run;
  if (!run) return "OffloadLab";
  const progress = run.state === "running" ? `${run.trial}/${run.trialCount} ${run.policy ?? ""}`.trim() : run.state;
  return `${progress} · ${run.name} · OffloadLab`;
};
