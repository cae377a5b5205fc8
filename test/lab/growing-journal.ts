import { watch } from "node:fs";
import { type JournalRecord, readJournal } from "@offloadlab/records";
import type { Ended } from "./rehearsal-process.ts";

/** A journal that a rehearsal writes. */
export class GrowingJournal {
  readonly #file: string;
  readonly #ended: Promise<void>;
  /** How the rehearsal ended. */
  #last: Ended | undefined;

  /** @param ended when nothing more is written */
  constructor(file: string, ended: Promise<Ended>) {
    this.#file = file;
    this.#ended = ended.then((last) => {
      this.#last = last;
    });
  }

  /**
   * Resolves with what is first found in the records so far.
   *
   * @param what is looked for, in words
   * @throws RangeError with the rehearsal's last lines when it ends without
   */
  async until<T>(what: string, find: (records: readonly JournalRecord[]) => T | undefined): Promise<T> {
    const watcher = watch(this.#file);
    try {
      for (;;) {
        const last = this.#last;
        // From before it is read, so that no line is missed.
        const changed = new Promise<void>((resolve) => watcher.once("change", () => resolve()));
        const found = find(await readJournal(this.#file));
        if (found !== undefined) return found;
        if (last !== undefined) {
          const lines = last.stderr.trimEnd().split("\n").slice(-40).join("\n");
          throw new RangeError(`${this.#file}: expected ${what}, the rehearsal ended without:\n${lines}`);
        }
        await Promise.race([changed, this.#ended]);
      }
    } finally {
      watcher.close();
    }
  }
}
