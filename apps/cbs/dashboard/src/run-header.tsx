import type { LiveRun } from "@offloadlab/protocol";
import { aboutDuration, clockSpeed, duration, fixed, percent } from "./format.ts";
import type { LinkState } from "./live-link.ts";
import { isUnderWay, runProgress, stateViews, trialProgress, trialSecondsLeft, trialText } from "./run-view.ts";

const linkLabels: Readonly<Record<LinkState, string>> = {
  connecting: "connecting",
  live: "live",
  silent: "no data",
  lost: "not connected",
};

/** Which run this is, how it stands and how long it will take. */
export const RunHeader = ({ run, link }: { readonly run: LiveRun | null; readonly link: LinkState }) => (
  <header class="run-header">
    <div class="run-line">
      <h1>OffloadLab</h1>
      {run && (
        <p class="run-name">
          <strong>{run.name}</strong> <span class="run-id">{run.id}</span>
        </p>
      )}
      <div class="badges">
        {run && (
          <span class={`badge state-${run.state}`} title={stateViews[run.state].meaning} data-testid="run-state">
            {stateViews[run.state].label}
          </span>
        )}
        {run && (
          <span class={`badge hardware-${run.hardware}`} data-testid="hardware">
            {run.hardware === "emulated" ? "emulated hardware" : "real boards"}
          </span>
        )}
        <span class={`link link-${link}`} data-testid="connection">
          {linkLabels[link]}
        </span>
      </div>
    </div>
    {run && <RunProgress run={run} />}
  </header>
);

const RunProgress = ({ run }: { readonly run: LiveRun }) => {
  const underWay = isUnderWay(run);
  return (
    <div class="progress-line">
      <p class="trial">
        <span data-testid="trial">{trialText(run)}</span>
        <span class="policy" data-testid="policy">
          {run.policy ?? "no policy yet"}
        </span>
      </p>
      <Progress
        label="Trial"
        value={trialProgress(run)}
        done={`${fixed(run.trialSeconds, 0)} of ${fixed(run.epochSeconds, 0)} s lab time`}
        left={underWay ? `${duration(trialSecondsLeft(run))} left` : "ended"}
      />
      <Progress
        label="Run"
        value={runProgress(run)}
        done={percent(runProgress(run))}
        left={underWay ? `about ${aboutDuration(run.remainingSeconds)} left` : "ended"}
      />
      <p class="clock" data-testid="clock-speed">
        {clockSpeed(run.clockSpeed)}
      </p>
    </div>
  );
};

interface ProgressProps {
  readonly label: string;
  readonly value: number;
  readonly done: string;
  readonly left: string;
}

const Progress = ({ label, value, done, left }: ProgressProps) => (
  <div class="progress">
    <span class="progress-label">{label}</span>
    <span class="progress-done">{done}</span>
    <span class="progress-left">{left}</span>
    <progress value={value} max={1} aria-label={label} />
  </div>
);
