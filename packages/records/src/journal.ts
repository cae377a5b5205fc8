import { type FileHandle, open, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { JournalRecord, NewRecord } from "./journal-records.ts";

/** Lines that come within this real time share one sync: what a crash may cost. */
const gatherMilliseconds = 200;

/** A promise with its own resolve. */
const hurry = (): { promise: Promise<void>; resolve: () => void } => {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
};

/**
 * Writes lines to an append-only file; each batch is synced to the disk before anyone is told of it.
 *
 * After a write error the file may end in a torn line: nothing is written any more, and every `flush` and `close` says
 * why.
 */
export class LineWriter {
  readonly #file: FileHandle;
  readonly #onSynced: () => void;
  #lines: string[] = [];
  /** Settled when someone waits for the lines. */
  #hurry = hurry();
  #hurried = false;
  #writing: Promise<void> | undefined;
  #failure: unknown;
  #closed = false;

  private constructor(file: FileHandle, onSynced: () => void) {
    this.#file = file;
    this.#onSynced = onSynced;
  }

  /**
   * Opens a file to append to. A torn last line, left by a crash, is cut off.
   *
   * @param onSynced called after each batch has reached the disk
   */
  static async open(path: string, onSynced: () => void = () => {}): Promise<LineWriter> {
    const file = await open(path, "a+");
    const text = await file.readFile();
    const end = text.lastIndexOf(0x0a) + 1;
    if (end < text.length) await file.truncate(end);
    return new LineWriter(file, onSynced);
  }

  /** Queues a line (without its newline); it is written with the next batch, or ignored after `close`. */
  append(line: string): void {
    if (this.#closed || this.#failure !== undefined) return;
    this.#lines.push(`${line}\n`);
    this.#writing ??= this.#write();
  }

  /** Resolves when every line so far is on the disk; rejects with the error of a write that failed. */
  async flush(): Promise<void> {
    if (this.#writing !== undefined) {
      this.#hurried = true;
      this.#hurry.resolve();
      await this.#writing;
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Bytes of the file, after `flush`. */
  async size(): Promise<number> {
    return (await this.#file.stat()).size;
  }

  /** Flushes and closes; rejects as `flush` does, with the file closed. */
  async close(): Promise<void> {
    this.#closed = true;
    try {
      await this.flush();
    } finally {
      await this.#file.close();
    }
  }

  /** Never rejects, as nobody may be waiting: an error is kept for `flush`. */
  async #write(): Promise<void> {
    try {
      while (this.#lines.length > 0) {
        if (!this.#hurried) await Promise.race([sleep(gatherMilliseconds), this.#hurry.promise]);
        const batch = this.#lines.join("");
        this.#lines = [];
        await this.#file.appendFile(batch);
        await this.#file.datasync();
        this.#onSynced();
      }
    } catch (error) {
      this.#failure = error;
      this.#lines = [];
    }
    this.#writing = undefined;
    this.#hurried = false;
    this.#hurry = hurry();
  }
}

/** A node's journal of one run. */
export class Journal {
  readonly #writer: LineWriter;
  readonly #unixNow: () => number;

  /** @param unixNow Unix seconds on a clock that never goes back */
  constructor(writer: LineWriter, unixNow: () => number) {
    this.#writer = writer;
    this.#unixNow = unixNow;
  }

  write(record: NewRecord): void {
    this.#writer.append(JSON.stringify({ time: this.#unixNow(), ...record }, (_key, value) => journalled(value)));
  }

  flush(): Promise<void> {
    return this.#writer.flush();
  }

  size(): Promise<number> {
    return this.#writer.size();
  }

  close(): Promise<void> {
    return this.#writer.close();
  }
}

/**
 * A value as a journal has it.
 *
 * Nine digits after the point: nanoseconds and nanojoules, below anything that is measured here. A number too large to
 * have them, as Unix seconds are, stays as it is: rounding would only cost it its last digit.
 */
const journalled = <T>(value: T): T =>
  typeof value === "number" && Math.abs(value * 1e9) < Number.MAX_SAFE_INTEGER
    ? ((Math.round(value * 1e9) / 1e9) as T)
    : value;

/** A record as one reads it from a journal: what is computed from it can be computed again. */
export const asJournalled = <T>(record: T): T =>
  JSON.parse(JSON.stringify(record, (_key, value) => journalled(value))) as T;

/**
 * Reads a journal; a torn last line is left out.
 *
 * @throws SyntaxError when a line in between is not JSON
 */
export const readJournal = async (path: string): Promise<JournalRecord[]> =>
  parseJournal(await readFile(path, "utf8"), path);

/** @throws SyntaxError when a complete line is not JSON */
export const parseJournal = (text: string, where = "journal"): JournalRecord[] =>
  text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "")
    .map((line, number) => {
      try {
        return JSON.parse(line) as JournalRecord;
      } catch (error) {
        throw new SyntaxError(`${where}: line ${number + 1}: ${(error as Error).message}`);
      }
    });
