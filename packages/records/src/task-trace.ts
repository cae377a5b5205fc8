import { type Settings, serverId } from "@offloadlab/model";
import type { JournalRecord, OutcomeRecord } from "./journal-records.ts";
import { deviceOf, type Journals } from "./reconcile.ts";
import { alignedLines } from "./text-columns.ts";

/** One thing that happened to a task, at a moment or for a while; lab seconds since the trial began. */
export interface TraceEvent {
  readonly node: string;
  readonly what: string;
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly detail: string;
}

/** The trials in which a task of this id was generated. */
export const trialsOf = (journals: Journals, task: string): number[] =>
  (journals.get(deviceOf(task)) ?? []).flatMap((record) =>
    record.kind === "generated" && record.task === task ? [record.trial] : [],
  );

/**
 * The life of a task as its device, its server and the C-BS journalled it, in the order of time.
 *
 * The server's moments are placed by the clocks of both nodes, which differ by what synchronisation leaves; durations are
 * each node's own.
 *
 * @param clockSpeed lab seconds per real second
 */
export const taskTrace = (
  settings: Settings,
  journals: Journals,
  clockSpeed: number,
  trial: number,
  task: string,
): TraceEvent[] => {
  const device = deviceOf(task);
  const communityIndex = Number(device.split("-")[1]) - 1;
  const server = serverId(communityIndex);
  const subSlotSeconds = settings.timeSlot / settings.subSlotsPerTimeSlot;
  const own = (node: string): JournalRecord[] =>
    (journals.get(node) ?? []).filter((record) => "trial" in record && record.trial === trial);
  const end = own(device).find((record): record is OutcomeRecord & { readonly time: number } =>
    isOf(record, "outcome", task),
  );
  /** Lab time of a moment in Unix seconds, by the device's end of the task. */
  const labTime = (time: number): number | undefined =>
    end === undefined ? undefined : end.endSeconds + (time - end.time) * clockSpeed;

  const events: TraceEvent[] = [];
  const add = (node: string, what: string, fromSeconds: number, toSeconds: number, detail: string): void => {
    events.push({ node, what, fromSeconds, toSeconds, detail });
  };
  const at = (node: string, what: string, seconds: number | undefined, detail: string): void => {
    if (seconds !== undefined) add(node, what, seconds, seconds, detail);
  };

  for (const record of own("cbs")) {
    if (record.kind === "trial")
      at(
        "cbs",
        "began the trial",
        labTime(record.startsAtUnixSeconds),
        `${record.policy}, arrivals of seed ${record.seed}`,
      );
    else if (isOf(record, "lost", task)) at("cbs", "declared it lost", labTime(record.time), "");
  }
  for (const record of own(device)) {
    if (isOf(record, "generated", task)) {
      const { arrivalSeconds, dataBytes, workCycles, image } = record;
      const size = `${(dataBytes / 1e6).toFixed(2)} MB, ${(workCycles / 1e9).toFixed(2)} Gcycle, image ${image}`;
      at(device, "generated", arrivalSeconds, size);
    }
  }
  for (const record of own(server)) {
    if (record.kind === "action") {
      const decision = record.decisions.find((each) => each.task === task);
      if (decision === undefined) continue;
      const { placement, bandwidthShare, computeShare, lease } = decision;
      const shares = `w ${bandwidthShare.toFixed(3)}, β ${computeShare.toFixed(3)}, lease ${lease?.slice(0, 8) ?? "none"}`;
      const detail = `sub-slot ${record.subSlot}${placement === "edge" ? `: ${shares}` : ""}`;
      at(server, `decided: ${placement}`, record.subSlot * subSlotSeconds + record.latenessSeconds, detail);
    } else if (isOf(record, "released", task)) {
      at(server, "released its lease", labTime(record.time), record.reason);
    } else if (isOf(record, "reward", task)) {
      at(
        server,
        "paid its learner",
        labTime(record.time),
        `${record.reward.toFixed(3)} for sub-slot ${record.subSlot}`,
      );
    } else if (isOf(record, "service", task)) {
      const served = labTime(record.time);
      if (served === undefined) continue;
      const { uploadSeconds, theoreticalUploadSeconds, queueSeconds, executionSeconds } = record;
      const began = served - executionSeconds;
      const arrived = began - queueSeconds;
      const error = 1000 * (uploadSeconds - theoreticalUploadSeconds);
      const bytes = `${(record.uploadBytes / 1e6).toFixed(2)} MB, ${signed(error)} ms against Eq. (2)`;
      add(server, "upload", arrived - uploadSeconds, arrived, bytes);
      const share = `β ${record.computeShare.toFixed(3)}, achieved ${record.achievedComputeShare.toFixed(3)}: ${record.label}`;
      add(server, "execution", began, served, share);
    }
  }
  if (end !== undefined) {
    const { outcome, delaySeconds, waitingSeconds, energyJoules, endSeconds, reward } = end;
    const started = endSeconds - delaySeconds + waitingSeconds;
    if (outcome === "completed-local" || (outcome === "late" && !events.some(({ what }) => what === "execution")))
      add(device, "execution", started, endSeconds, end.label ?? "");
    const { deadline } = settings;
    const budget = `${delaySeconds.toFixed(3)} s of ${deadline} s, ${energyJoules.toFixed(2)} J`;
    at(
      device,
      outcome,
      endSeconds,
      `${budget}, reward ${reward.toFixed(3)}${end.detail === undefined ? "" : `; ${end.detail}`}`,
    );
  }
  return events.sort((a, b) => a.fromSeconds - b.fromSeconds || a.toSeconds - b.toSeconds);
};

/** A record of a kind that is about the task. */
const isOf = <K extends "generated" | "outcome" | "released" | "reward" | "service" | "lost">(
  record: JournalRecord,
  kind: K,
  task: string,
): record is Extract<JournalRecord, { readonly kind: K }> =>
  record.kind === kind && "task" in record && record.task === task;

const barWidth = 32;

/** A trace as a timeline for a terminal: one line for each event, its bar on a scale that all share. */
export const traceText = (events: readonly TraceEvent[]): string => {
  // The trial's beginning may be long ago: the scale is the task's own life.
  const own = events.filter(({ node }) => node !== "cbs");
  const first = Math.min(...own.map(({ fromSeconds }) => fromSeconds));
  const last = Math.max(...own.map(({ toSeconds }) => toSeconds));
  const place = (seconds: number): number =>
    Math.min(
      Math.max(Math.round(((seconds - first) / Math.max(last - first, 1e-9)) * (barWidth - 1)), 0),
      barWidth - 1,
    );
  const bar = ({ fromSeconds, toSeconds }: TraceEvent): string => {
    const [from, to] = [place(fromSeconds), place(toSeconds)];
    const mark = fromSeconds === toSeconds ? "│" : "█".repeat(Math.max(to - from, 1));
    return `${" ".repeat(from)}${mark}`.padEnd(barWidth);
  };
  const lines = alignedLines(
    [
      ["node", "what", "timeline".padEnd(barWidth), "at [s]", "for [s]"],
      ...events.map((event) => [
        event.node,
        event.what,
        bar(event),
        (Math.round(1000 * event.fromSeconds) / 1000 || 0).toFixed(3),
        event.toSeconds === event.fromSeconds ? "" : (event.toSeconds - event.fromSeconds).toFixed(3),
      ]),
    ],
    3,
  );
  const width = Math.max(...lines.map((line) => line.length));
  return lines.map((line, index) => `${line.padEnd(width)}  ${events[index - 1]?.detail ?? ""}`.trimEnd()).join("\n");
};

const signed = (value: number): string => `${value < 0 ? "" : "+"}${value.toFixed(1)}`;
