import type { Count, Seconds } from "@offloadlab/units";

/** What one user asked of one server. */
export interface TraceUser {
  readonly id: string;
  /** When, in seconds from the trace's first request, sorted. */
  readonly times: Float64Array;
}

/** A server and who used it: the busiest user first, users of as many requests by id. */
export interface TraceServer {
  readonly id: string;
  readonly requestCount: Count;
  readonly users: readonly TraceUser[];
}

/** Recorded requests: the busiest server first, servers of as many requests by id. */
export interface Trace {
  readonly file: string;
  /** From the first request to the last. */
  readonly duration: Seconds;
  readonly servers: readonly TraceServer[];
}

/** Why a file is no trace: `file:line:column: expected ..., got ...`, the first twenty, then how many more. */
export interface TraceProblems {
  readonly problems: readonly string[];
}

/**
 * When tasks arrive at devices that replay a trace: community i is its i-th busiest server, device j that server's j-th
 * busiest user.
 *
 * @param deviceCounts of each community
 * @param compression by how much time runs faster than in the trace
 * @returns [community][device] sorted seconds from the trace's first request, or why the trace is too small
 * @throws RangeError when the compression is not a positive number
 */
export const deviceArrivals = (
  trace: Trace,
  deviceCounts: readonly number[],
  compression: number,
): number[][][] | { readonly problem: string } => {
  if (!(compression > 0 && Number.isFinite(compression))) {
    throw new RangeError(`Expected a compression above 0, got ${compression}`);
  }
  const { file, servers } = trace;
  if (servers.length < deviceCounts.length) {
    const expected = `at least ${deviceCounts.length} servers, one per community`;
    return { problem: `${file}: expected ${expected}, got ${servers.length}: use fewer communities or another trace` };
  }
  const arrivals: number[][][] = [];
  for (const [community, deviceCount] of deviceCounts.entries()) {
    const { id, users } = servers[community] as TraceServer;
    if (users.length < deviceCount) {
      const where = `server ${shown(id)} of community ${community + 1}`;
      const expected = `at least ${deviceCount} users, one per device`;
      const remedy = `give the community at most ${users.length} devices or use another trace`;
      return { problem: `${file}: ${where}: expected ${expected}, got ${users.length}: ${remedy}` };
    }
    arrivals.push(users.slice(0, deviceCount).map(({ times }) => Array.from(times, (time) => time / compression)));
  }
  return arrivals;
};

/** A field as a message shows it. */
export const shown = (field: string): string => JSON.stringify(field.length > 60 ? `${field.slice(0, 57)}...` : field);
