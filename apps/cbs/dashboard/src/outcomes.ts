import type { LiveCommunity, LiveDevice } from "@offloadlab/protocol";

/** One way a task can end, as the dashboard names it. */
export interface Outcome {
  readonly key: string;
  readonly label: string;
  readonly meaning: string;
}

/** All outcomes, the two good ones first, in the order of every bar and legend. */
export const outcomes: readonly Outcome[] = [
  { key: "completed-local", label: "completed local", meaning: "run by the device itself, in time" },
  { key: "completed-edge", label: "completed edge", meaning: "run by the MEC server, in time" },
  { key: "late", label: "late", meaning: "completed after its deadline" },
  { key: "drained", label: "drained", meaning: "the battery could not pay for it" },
  { key: "expired", label: "expired", meaning: "dropped from the queue, its deadline had passed" },
  { key: "lost", label: "lost", meaning: "no outcome came back" },
];

/** Tasks by outcome, and those that have not ended yet. */
export interface Tally {
  readonly generated: number;
  readonly open: number;
  readonly counts: ReadonlyMap<string, number>;
}

/** One device's tasks of this trial. */
export const tally = (device: Pick<LiveDevice, "generated" | "outcomes">): Tally => {
  const counts = new Map(outcomes.map(({ key }) => [key, device.outcomes[key] ?? 0]));
  return { generated: device.generated, open: Math.max(0, device.generated - sum(counts.values())), counts };
};

/** The tasks of every device together, for the legend. */
export const tallyAll = (communities: readonly LiveCommunity[]): Tally => {
  const tallies = communities.flatMap(({ devices }) => devices.map(tally));
  return {
    generated: sum(tallies.map(({ generated }) => generated)),
    open: sum(tallies.map(({ open }) => open)),
    counts: new Map(outcomes.map(({ key }) => [key, sum(tallies.map(({ counts }) => counts.get(key) ?? 0))])),
  };
};

/** A tally as one sentence, for those who cannot see the bar. */
export const tallyText = ({ generated, open, counts }: Tally): string => {
  const parts = outcomes.map(({ key, label }) => [counts.get(key) ?? 0, label] as const);
  const ended = [...parts, [open, "not ended"] as const].filter(([count]) => count > 0);
  return [`${generated} generated`, ...ended.map(([count, label]) => `${count} ${label}`)].join(", ");
};

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
