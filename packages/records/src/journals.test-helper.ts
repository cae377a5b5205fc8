import { presets, type Settings, settingsFromFile, settingsToFile } from "@offloadlab/model";
import type {
  ActionRecord,
  Decision,
  JournalRecord,
  NewRecord,
  OutcomeRecord,
  ServiceRecord,
  SubSlotRecord,
} from "./journal-records.ts";

/** Two communities of the testbed, with two devices and one. */
export const smallSettings: Settings = settingsFromFile({
  ...settingsToFile(presets.testbed),
  name: "small",
  communities: settingsToFile(presets.testbed)
    .communities.slice(0, 2)
    .map((community, index) => ({ ...community, name: `community-${index + 1}`, device_count: 2 - index })),
});

/** Stamps records a millisecond apart. */
export const stamped = (records: readonly NewRecord[], start = 1000): JournalRecord[] =>
  records.map((record, index) => ({ time: start + index / 1000, ...record }));

export const generated = (task: string, trial = 1): NewRecord => ({
  kind: "generated",
  trial,
  task,
  arrivalSeconds: 0,
  dataBytes: 1000,
  workCycles: 1e9,
  image: 0,
});

export const outcome = (task: string, change: Partial<OutcomeRecord> = {}): NewRecord & OutcomeRecord => ({
  kind: "outcome",
  trial: 1,
  task,
  outcome: "completed-local",
  endSeconds: 1,
  waitingSeconds: 0.25,
  delaySeconds: 1,
  energyJoules: 10,
  energyUncertaintyJoules: 0,
  energyCoverageRatio: 1,
  energyMethod: "emulated",
  chargeJoules: 120,
  reward: -0.5,
  label: "cat",
  expectedLabel: null,
  ...change,
});

export const action = (
  decisions: readonly Decision[],
  change: Partial<ActionRecord> = {},
): NewRecord & ActionRecord => ({
  kind: "action",
  trial: 1,
  subSlot: 0,
  latenessSeconds: 0,
  bandwidthInUseRatio: 0,
  computeInUseRatio: 0,
  decisions,
  ...change,
});

export const subSlot = (change: Partial<SubSlotRecord> = {}): NewRecord & SubSlotRecord => ({
  kind: "sub-slot",
  trial: 1,
  subSlot: 0,
  reported: 1,
  devices: 1,
  begunSeconds: 0.003,
  handedSeconds: 0.004,
  ...change,
});

export const service = (task: string, change: Partial<ServiceRecord> = {}): NewRecord & ServiceRecord => ({
  kind: "service",
  trial: 1,
  task,
  lease: `lease-${task}`,
  uploadBytes: 1000,
  uploadSeconds: 0.2,
  theoreticalUploadSeconds: 0.2,
  leasedUploadSeconds: 0.2,
  queueSeconds: 0,
  executionSeconds: 0.3,
  computeShare: 0.5,
  achievedComputeShare: 0.5,
  label: "cat",
  ...change,
});
