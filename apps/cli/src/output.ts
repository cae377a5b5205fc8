import type { ExitCode } from "./exit-codes.ts";

export type Format = "text" | "json";

/** The answer of a command: text for people, an envelope for machines. */
export const printResult = (format: Format, exitCode: ExitCode, text: string, data: unknown): void => {
  if (format === "text") {
    if (text !== "") process.stdout.write(`${text}\n`);
  } else {
    const status = exitCode === 0 ? "ok" : "error";
    process.stdout.write(`${JSON.stringify({ schema_version: 1, status, exit_code: exitCode, data })}\n`);
  }
  process.exitCode = exitCode;
};

const plainLineMilliseconds = 5_000;

/** One line that is rewritten on a terminal; elsewhere a plain line for each step, and now and then; on stderr. */
export class ProgressLine {
  #step = "";
  #last = "";
  #printedAt = Number.NEGATIVE_INFINITY;

  /** @param step what is going on, while `line` says how far it is */
  update(step: string, line: string = step): void {
    if (process.stderr.isTTY) {
      if (line === this.#last) return;
      const width = process.stderr.columns ?? 80;
      process.stderr.write(`\r\x1b[2K${line.length < width ? line : line.slice(0, width - 1)}`);
    } else if (step !== this.#step || performance.now() - this.#printedAt > plainLineMilliseconds) {
      process.stderr.write(`${line}\n`);
      this.#printedAt = performance.now();
    }
    this.#step = step;
    this.#last = line;
  }

  /** Leaves a finished line behind. */
  done(line: string): void {
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[2K${line}\n` : `${line}\n`);
    this.#step = "";
    this.#last = "";
  }
}

/** `2:05` */
export const minutes = (seconds: number): string => {
  const whole = Math.max(Math.round(seconds), 0);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

/** `42 s` */
export const seconds = (duration: number): string => `${Math.max(Math.round(duration), 0)} s`;
