import { closeSync, openSync, readSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { deviceArrivals, type Trace, type TraceProblems, TraceReader } from "@offloadlab/model";

/** Gives the trace of a file name. */
export type TraceSource = (file: string) => Trace | TraceProblems;

/** Reads a trace from a file, a piece at a time: traces are larger than texts can be. */
export const readTraceFile = (path: string): Trace | TraceProblems => {
  const reader = new TraceReader(path);
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    return { problems: [`${path}: ${(error as Error).message}`] };
  }
  try {
    const buffer = Buffer.alloc(1 << 20);
    const decoder = new StringDecoder("utf8");
    let rest = "";
    for (let size = readSync(descriptor, buffer); size > 0; size = readSync(descriptor, buffer)) {
      const lines = (rest + decoder.write(buffer.subarray(0, size))).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) reader.add(line);
    }
    if (rest !== "") reader.add(rest);
    return reader.end();
  } finally {
    closeSync(descriptor);
  }
};

interface TraceEntry {
  readonly file?: unknown;
  readonly compression_ratio?: unknown;
}

interface SettingsLike {
  readonly time_slot_seconds?: unknown;
  readonly communities?: unknown;
}

interface CommunityLike {
  readonly device_count?: unknown;
  readonly workload?: { readonly trace?: TraceEntry; readonly tasks_per_time_slot?: unknown };
}

/**
 * Replaces `workload.trace: {file, compression_ratio}` of settings by the arrivals that the file holds.
 *
 * Without a ratio, time is compressed so that the devices have `tasks_per_time_slot` in the mean.
 */
export const resolveTraces = (
  settings: unknown,
  source: TraceSource | undefined,
): { readonly settings: unknown } | { readonly problems: readonly string[] } => {
  const { communities, time_slot_seconds: timeSlot } = settings as SettingsLike;
  if (!Array.isArray(communities)) return { settings };
  const counts = communities.map((community: CommunityLike) => Number(community.device_count) || 0);
  const problems: string[] = [];
  const resolved = communities.map((community: CommunityLike, index) => {
    const entry = community.workload?.trace;
    if (entry?.file === undefined) return community;
    if (source === undefined) {
      problems.push(`\`trace.file\`: traces are replayed by the simulator only, got ${String(entry.file)}`);
      return community;
    }
    const trace = source(String(entry.file));
    if ("problems" in trace) {
      problems.push(...trace.problems);
      return community;
    }
    // Compressed by 1 first: the ratio may follow from how busy these users are.
    const original = deviceArrivals(trace, counts, 1);
    if ("problem" in original) {
      problems.push(original.problem);
      return community;
    }
    const times = original[index] ?? [];
    const requests = times.reduce((sum, each) => sum + each.length, 0);
    const wanted = Number(community.workload?.tasks_per_time_slot) / Number(timeSlot);
    const ratio =
      entry.compression_ratio === undefined
        ? (wanted * trace.duration * times.length) / requests
        : Number(entry.compression_ratio);
    if (!(ratio > 0 && Number.isFinite(ratio))) {
      problems.push(`\`trace.compression_ratio\` must be more than 0, got ${String(entry.compression_ratio)}`);
      return community;
    }
    return {
      ...community,
      workload: {
        ...community.workload,
        arrivals: "trace",
        trace: {
          device_times_seconds: times.map((each) => each.map((time) => time / ratio)),
          duration_seconds: trace.duration / ratio,
        },
      },
    };
  });
  return problems.length > 0 ? { problems } : { settings: { ...(settings as object), communities: resolved } };
};
