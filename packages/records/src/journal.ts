import { type FileHandle, open, readFile } from "node:fs/promises";
import type { JournalRecord, NewRecord } from "./journal-records.ts";

/** Writes lines to an append-only file; each batch is synced to the disk before anyone is told of it. */
export class LineWriter {
  readonly #file: FileHandle;
  readonly #onSynced: () => void;
  #lines: string[] = [];
  #writing: Promise<void> | undefined;

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

  /** Queues a line (without its newline); it is written with the next batch. */
  append(line: string): void {
    this.#lines.push(`${line}\n`);
    this.#writing ??= this.#write();
  }

  /** Resolves when every line so far is on the disk. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  /** Bytes of the file, after `flush`. */
  async size(): Promise<number> {
    return (await this.#file.stat()).size;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#file.close();
  }

  async #write(): Promise<void> {
    // Lines of the same turn of the event loop, and those that come while the disk is busy, share one sync.
    await Promise.resolve();
    while (this.#lines.length > 0) {
      const batch = this.#lines.join("");
      this.#lines = [];
      await this.#file.appendFile(batch);
      await this.#file.datasync();
      this.#onSynced();
    }
    this.#writing = undefined;
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
    this.#writer.append(JSON.stringify({ time: this.#unixNow(), ...record }, rounded));
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

/** Nine digits after the point: nanoseconds and nanojoules, below anything that is measured here. */
const rounded = (_key: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isInteger(value) ? Math.round(value * 1e9) / 1e9 : value;

/**
 * Reads a journal; a torn last line is left out.
 *
 * @throws SyntaxError when a line in between is not JSON
 */
export const readJournal = async (path: string): Promise<JournalRecord[]> => parseJournal(await readFile(path, "utf8"), path);

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
