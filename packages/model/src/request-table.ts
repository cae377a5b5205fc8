import { count, seconds } from "@offloadlab/units";
import type { Trace, TraceServer, TraceUser } from "./trace.ts";

/** Numbers ids from 0 as they come. */
class Ids {
  readonly list: string[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(id: string): number {
    const known = this.#numbers.get(id);
    if (known !== undefined) return known;
    // A field is a view of its line and would keep all of it in memory.
    const copy = structuredClone(id);
    this.#numbers.set(copy, this.list.length);
    return this.list.push(copy) - 1;
  }
}

/** Requests as a structure of arrays that grows, 16 bytes for each: C-ESP has 10,159,851. */
export class RequestTable {
  readonly #userIds = new Ids();
  readonly #serverIds = new Ids();
  #times = new Float64Array(1024);
  #users = new Uint32Array(1024);
  #servers = new Uint32Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(time: number, user: string, server: string): void {
    if (this.#length === this.#times.length) {
      this.#times = doubled(this.#times, Float64Array);
      this.#users = doubled(this.#users, Uint32Array);
      this.#servers = doubled(this.#servers, Uint32Array);
    }
    this.#times[this.#length] = time;
    this.#users[this.#length] = this.#userIds.numberOf(user);
    this.#servers[this.#length] = this.#serverIds.numberOf(server);
    this.#length++;
  }

  /** There must be a request. */
  grouped(): Pick<Trace, "duration" | "servers"> {
    const userOf = this.#users;
    const serverOf = this.#servers;
    const unordered = new Uint32Array(this.#length).map((_, row) => row);
    const byUser = orderedBy(unordered, userOf, this.#userIds.list.length);
    const rows = orderedBy(byUser, serverOf, this.#serverIds.list.length);

    let first = Number.POSITIVE_INFINITY;
    let last = Number.NEGATIVE_INFINITY;
    for (const row of rows) {
      first = Math.min(first, this.#times[row] as number);
      last = Math.max(last, this.#times[row] as number);
    }
    const times = new Float64Array(this.#length);
    for (let i = 0; i < rows.length; i++) times[i] = (this.#times[rows[i] as number] as number) - first;

    const usersOf = this.#serverIds.list.map((): TraceUser[] => []);
    for (let start = 0, end = 1; end <= rows.length; end++) {
      const [row, next] = [rows[start] as number, rows[end]];
      if (next !== undefined && userOf[next] === userOf[row] && serverOf[next] === serverOf[row]) continue;
      const id = this.#userIds.list[userOf[row] as number] as string;
      usersOf[serverOf[row] as number]?.push({ id, times: times.subarray(start, end).sort() });
      start = end;
    }
    const servers = usersOf.map((users, server): TraceServer => {
      users.sort((a, b) => b.times.length - a.times.length || (a.id < b.id ? -1 : 1));
      const requestCount = count(users.reduce((sum, user) => sum + user.times.length, 0));
      return { id: this.#serverIds.list[server] as string, requestCount, users };
    });
    servers.sort((a, b) => b.requestCount - a.requestCount || (a.id < b.id ? -1 : 1));
    return { duration: seconds(last - first), servers };
  }
}

const doubled = <A extends Float64Array | Uint32Array>(from: A, make: new (length: number) => A): A => {
  const to = new make(2 * from.length);
  to.set(from);
  return to;
};

/** Rows in the order of their keys, rows of the same key as they were. */
const orderedBy = (rows: Uint32Array, keys: Uint32Array, keyCount: number): Uint32Array => {
  const next = new Uint32Array(keyCount + 1);
  for (const row of rows) {
    const after = (keys[row] as number) + 1;
    next[after] = (next[after] as number) + 1;
  }
  for (let key = 1; key <= keyCount; key++) next[key] = (next[key] as number) + (next[key - 1] as number);
  const ordered = new Uint32Array(rows.length);
  for (const row of rows) {
    const key = keys[row] as number;
    const place = next[key] as number;
    ordered[place] = row;
    next[key] = place + 1;
  }
  return ordered;
};
