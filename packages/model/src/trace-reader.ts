import { RequestTable } from "./request-table.ts";
import { shown, type Trace, type TraceProblems } from "./trace.ts";
import { decimal, type TimeFormat, timeFormats } from "./trace-time.ts";

/**
 * Reads a trace from a CSV file (RFC 4180, a request never spans lines), line by line.
 *
 * The header is `time,user,server` or `time,user,server,lat,lon`; rows come in any order. A time is in seconds from any
 * origin, or an ISO 8601 date-time, UTC unless it has an offset; the first row decides for all. Seconds are below 1e11,
 * so that Unix milliseconds are not taken for them. Degrees are checked and have no further use.
 */
export class TraceReader {
  readonly #file: string;
  readonly #requests = new RequestTable();
  readonly #problems: string[] = [];
  #problemCount = 0;
  #lineCount = 0;
  /** Blank lines since the last row: at the end of the file they are no problem. */
  #blankCount = 0;
  /** From the header; 0 when it cannot be read, and no row then either. */
  #columnCount = 0;
  #timeFormat: TimeFormat | undefined;

  /** @param file what problems call it */
  constructor(file: string) {
    this.#file = file;
  }

  /** @param line without its newline; a byte order mark and a carriage return may still be there */
  add(line: string): void {
    this.#lineCount++;
    const row = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (this.#lineCount === 1) this.#readHeader(row.startsWith("\uFEFF") ? row.slice(1) : row);
    else if (this.#columnCount === 0) return;
    else if (row === "") this.#blankCount++;
    else {
      for (; this.#blankCount > 0; this.#blankCount--) {
        this.#report("a request", "an empty line", this.#lineCount - this.#blankCount);
      }
      this.#readRow(row);
    }
  }

  end(): Trace | TraceProblems {
    const next = this.#lineCount - this.#blankCount + 1;
    if (this.#lineCount === 0) this.#report(header, "the end of the file", next);
    else if (this.#requests.length + this.#problemCount === 0) this.#report("a request", "the end of the file", next);
    if (this.#problemCount === 0) return { file: this.#file, ...this.#requests.grouped() };
    const more = this.#problemCount - this.#problems.length;
    return { problems: more > 0 ? [...this.#problems, `${this.#file}: ${more} more`] : this.#problems };
  }

  #readHeader(row: string): void {
    const raw = rawFields(row);
    const names = columns.slice(0, raw.length > 3 ? 5 : 3).map(({ name }) => name);
    const wrong = names.findIndex((name, i) => i >= raw.length || unquoted(raw[i] as string) !== name);
    if (wrong >= 0) this.#reportField(raw, wrong, header);
    else if (raw.length > names.length) this.#reportField(raw, names.length, header);
    else this.#columnCount = names.length;
  }

  #readRow(row: string): void {
    const raw = rawFields(row);
    const fields = row.includes('"') ? raw.map(unquoted) : raw;
    const [field = "", user = "", server = ""] = fields;
    const format = this.#timeFormat ?? timeFormats.find(({ read }) => !Number.isNaN(read(field)));
    const time = format?.read(field) ?? Number.NaN;
    const wrong = wrongField(fields, this.#columnCount, Number.isNaN(time));
    if (wrong < 0) {
      this.#timeFormat = format;
      this.#requests.push(time, user, server);
    } else {
      const isMisquoted = wrong < raw.length && fields[wrong] === undefined;
      this.#reportField(raw, wrong, isMisquoted ? 'quotes around all of it, "" for one inside' : this.#expected(wrong));
    }
  }

  #expected(index: number): string {
    if (index === 0 && this.#timeFormat) return `${this.#timeFormat.expected}, as before`;
    return index < this.#columnCount ? (columns[index] as Column).expected : "the end of the line";
  }

  #reportField(raw: readonly string[], index: number, expected: string): void {
    const before = raw.slice(0, index).reduce((length, field) => length + field.length + 1, 0);
    const field = raw[index];
    // After the last field there is no comma.
    if (field === undefined) this.#report(expected, "the end of the line", this.#lineCount, before);
    else this.#report(expected, shown(field), this.#lineCount, before + 1);
  }

  #report(expected: string, got: string, line: number, column = 1): void {
    if (this.#problemCount++ >= 20) return;
    this.#problems.push(`${this.#file}:${line}:${column}: expected ${expected}, got ${got}`);
  }
}

/** Reads a trace whose lines are at hand. */
export const readTrace = (lines: Iterable<string>, file: string): Trace | TraceProblems => {
  const reader = new TraceReader(file);
  for (const line of lines) reader.add(line);
  return reader.end();
};

const anyTime = timeFormats.map(({ expected }) => expected).join(" or ");

interface Column {
  readonly name: string;
  /** Completes "expected ...". */
  readonly expected: string;
  accepts(field: string): boolean;
}

const isFilled = (field: string): boolean => field !== "";
const isWithin = (degrees: number) => (field: string) => Math.abs(decimal(field)) <= degrees;

/** What a time is depends on the rows before. */
const columns: readonly Column[] = [
  { name: "time", expected: anyTime, accepts: () => true },
  { name: "user", expected: "a user", accepts: isFilled },
  { name: "server", expected: "a server", accepts: isFilled },
  { name: "lat", expected: "degrees from -90 to 90", accepts: isWithin(90) },
  { name: "lon", expected: "degrees from -180 to 180", accepts: isWithin(180) },
];
const header = "the header time,user,server or time,user,server,lat,lon";

/** The index of the first field that is missing, malformed, not accepted or too many; -1 without one. */
const wrongField = (fields: readonly (string | undefined)[], columnCount: number, timeIsWrong: boolean): number => {
  if (timeIsWrong) return 0;
  for (let i = 1; i < columnCount; i++) {
    const field = fields[i];
    if (field === undefined || !columns[i]?.accepts(field)) return i;
  }
  return fields.length > columnCount ? columnCount : -1;
};

/** The fields of a row with their quotes. */
const rawFields = (row: string): string[] => {
  if (!row.includes('"')) return row.split(",");
  const fields: string[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i < row.length; i++) {
    if (row[i] === '"') quoted = !quoted;
    if (row[i] !== "," || quoted) continue;
    fields.push(row.slice(start, i));
    start = i + 1;
  }
  return [...fields, row.slice(start)];
};

/** `undefined` when quotes are not where RFC 4180 has them. */
const unquoted = (raw: string): string | undefined => {
  if (!raw.includes('"')) return raw;
  return /^"(?:[^"]|"")*"$/.test(raw) ? raw.slice(1, -1).replaceAll('""', '"') : undefined;
};
