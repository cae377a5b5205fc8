import type { LiveEpoch } from "@offloadlab/protocol";
import type { AnswerRow, Manifest, ResultRow, RunState, Trial } from "@offloadlab/records";

/** Where a run stands, for the CLI and the dashboard. */
export interface RunProgress {
  readonly id: string;
  readonly name: string;
  readonly folder: string;
  readonly state: "preparing" | "running" | "sealing" | RunState;
  readonly reasons: readonly string[];
  readonly trial: Trial | undefined;
  readonly trialCount: number;
  /** Unix seconds. */
  readonly trialStartsAt: number | undefined;
  /** Lab seconds of an epoch. */
  readonly epochSeconds: number;
  readonly clockSpeed: number;
  /** Real seconds. */
  readonly remainingSeconds: number;
  readonly results: readonly ResultRow[];
  /** Of the policies that learn. */
  readonly learning: readonly LiveEpoch[];
  /** Of the policies from outside. */
  readonly answers: readonly AnswerRow[];
}

/** A run that has not begun. */
export const newProgress = (id: string, folder: string, manifest: Manifest, trialCount: number): RunProgress => ({
  id,
  name: manifest.name,
  folder,
  state: "preparing",
  reasons: [],
  trial: undefined,
  trialCount,
  trialStartsAt: undefined,
  epochSeconds: manifest.settings.timeSlot * manifest.settings.timeSlotCount,
  clockSpeed: manifest.clockSpeed,
  remainingSeconds: 0,
  results: [],
  learning: [],
  answers: [],
});

export const isActive = ({ state }: RunProgress): boolean =>
  state === "preparing" || state === "running" || state === "sealing";
