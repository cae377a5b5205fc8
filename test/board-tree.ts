import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";

/** How a script ended. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A board's files in a temporary folder, and the programs that a script finds there instead of the board's own. */
export class BoardTree {
  readonly root = mkdtempSync(join(tmpdir(), "offloadlab-board-"));
  readonly #programs = mkdtempSync(join(tmpdir(), "offloadlab-programs-"));

  /** @param files contents by path */
  constructor(files: Readonly<Record<string, string>> = {}) {
    this.add(files);
  }

  add(files: Readonly<Record<string, string>>): void {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      writeFileSync(join(this.root, path), content);
    }
  }

  /** A program of the board that keeps how it was called in `calls()` and then does what the shell lines say. */
  program(name: string, lines: string): void {
    const file = join(this.#programs, name);
    writeFileSync(file, `#!/bin/sh\necho "${name} $*" >> "$CALLS"\n${lines}\n`);
    chmodSync(file, 0o755);
  }

  calls(): string[] {
    try {
      return readFileSync(this.#calls, "utf8").trimEnd().split("\n");
    } catch {
      return [];
    }
  }

  get #calls(): string {
    return join(this.#programs, "calls");
  }

  run(script: string, ...args: readonly string[]): Ran {
    const env = {
      PATH: `${this.#programs}:/usr/bin:/bin`,
      OFFLOAD_ROOT: this.root,
      CALLS: this.#calls,
      OFFLOAD_PAUSE_SECONDS: "0",
    };
    try {
      return { code: 0, stdout: execFileSync(script, args, { env, encoding: "utf8", stdio: "pipe" }), stderr: "" };
    } catch (error) {
      const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
      return { code: status, stdout, stderr };
    }
  }

  /** What every boot does: /run is empty. */
  boot(): void {
    rmSync(join(this.root, "run"), { recursive: true, force: true });
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), "utf8");
  }

  /** Everything that is there, to compare. */
  contents(): Record<string, string> {
    const files = readdirSync(this.root, { recursive: true })
      .map((path) => join(this.root, String(path)))
      .filter((path) => statSync(path).isFile());
    return Object.fromEntries(files.sort().map((path) => [relative(this.root, path), readFileSync(path, "utf8")]));
  }

  remove(): void {
    for (const folder of [this.root, this.#programs]) rmSync(folder, { recursive: true, force: true });
  }
}
