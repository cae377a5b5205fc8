import type { Estimate, ResultRow } from "@offloadlab/records";

export type { Estimate };

/** What the dashboard is sent, whole, twice a second. JSON, so the units are in the names. */
export interface LiveSnapshot {
  /** null before the first run */
  readonly run: LiveRun | null;
  readonly communities: readonly LiveCommunity[];
  /** The comparison so far: one row per policy and community, `community: "all"` for all of them. */
  readonly results: readonly LiveResult[];
}

export interface LiveRun {
  readonly id: string;
  readonly name: string;
  readonly state: "preparing" | "running" | "sealing" | "complete" | "invalid" | "interrupted";
  /** Why it is invalid, one sentence each. */
  readonly reasons: readonly string[];
  /** From 1; 0 before the first trial. */
  readonly trial: number;
  readonly trialCount: number;
  readonly policy: string | null;
  /** Lab time since the start of the trial. */
  readonly trialSeconds: number;
  readonly epochSeconds: number;
  /** Real time until the run's end, estimated. */
  readonly remainingSeconds: number;
  /** Lab seconds per real second. */
  readonly clockSpeed: number;
  /** `emulated` when the boards are. */
  readonly hardware: "emulated" | "linux";
}

export interface LiveCommunity {
  readonly name: string;
  readonly server: LiveServer;
  readonly devices: readonly LiveDevice[];
  /** Over the tasks of this trial that have ended. */
  readonly rewardPerTask: number | null;
  /** Sum of the rewards of this trial so far. */
  readonly reward: number;
}

export interface LiveServer {
  readonly id: string;
  readonly online: boolean;
  readonly bandwidthInUseRatio: number;
  readonly computeInUseRatio: number;
  /** Tasks being uploaded or executed. */
  readonly tasksInFlight: number;
}

export interface LiveDevice {
  readonly id: string;
  readonly online: boolean;
  readonly chargeJoules: number;
  readonly capacityJoules: number;
  readonly queueLength: number;
  readonly processorBusy: boolean;
  readonly radioBusy: boolean;
  readonly generated: number;
  /** Tasks of this trial by outcome: `completed-local`, `completed-edge`, `late`, `drained`, `expired`, `lost`. */
  readonly outcomes: Readonly<Record<string, number>>;
}

export type LiveResult = ResultRow;
