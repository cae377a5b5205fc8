import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { IdentityFiles } from "@offloadlab/protocol";

const cli = join(import.meta.dirname, "../../apps/cli/bin/offload.mjs");
/** Generated images are the same for every test: made once, kept beside the modules. */
export const sharedHome = join(import.meta.dirname, "../../node_modules/.cache/offloadlab");

export interface LabFile {
  readonly pid: number;
  readonly stationUrl: string;
  readonly dashboardUrl: string;
  readonly operator: IdentityFiles;
  readonly nodes: Readonly<Record<string, number>>;
}

/** How an `offload` command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `offload` to its end. */
export const offload = async (...args: string[]): Promise<Ended> => collect(start(args));

const start = (args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [cli, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });

/** What a command says until its end. */
export const collect = async (child: ChildProcess): Promise<Ended> => {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (text) => (stdout += String(text)));
  child.stderr?.on("data", (text) => (stderr += String(text)));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
};

/** A folder for one test. */
export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), "offloadlab-"));

/** A manifest of a short comparison, written to a file. */
export const shortManifest = (folder: string, changes: Record<string, unknown> = {}): string => {
  const file = join(folder, "experiment.yaml");
  const manifest = {
    name: "short",
    preset: "testbed",
    policies: ["greedy", "fair"],
    repetitions: 1,
    seed: 7,
    clock_speed_ratio: 1.5,
    settings: { time_slot_count: 4 },
    ...changes,
  };
  writeFileSync(file, JSON.stringify(manifest));
  return file;
};

/** A rehearsal in the process of a user's `offload lab up`. */
export class RehearsalProcess {
  readonly folder: string;
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly #lines: string[] = [];
  #listeners: ((line: string) => void)[] = [];

  constructor(args: readonly string[] = [], manifest: Record<string, unknown> = {}) {
    this.folder = temporaryFolder();
    // What the simulator has trained is kept as well, by its plan and the code's commit.
    const trained = join(sharedHome, "trained");
    mkdirSync(trained, { recursive: true });
    mkdirSync(join(this.folder, "home"));
    symlinkSync(trained, join(this.folder, "home", "trained"));
    const images = args.includes("--images") ? [] : ["--images", join(sharedHome, "images")];
    this.child = start([
      ...[
        "lab",
        "up",
        "--rehearsal",
        "--format",
        "json",
        "--home",
        join(this.folder, "home"),
        "--runs",
        join(this.folder, "runs"),
      ],
      ...["--experiment", shortManifest(this.folder, manifest), ...images, ...args],
    ]);
    this.ended = collect(this.child);
    if (this.child.stderr !== null) {
      createInterface(this.child.stderr).on("line", (line) => {
        this.#lines.push(line);
        for (const listener of this.#listeners) listener(line);
      });
    }
  }

  /** Resolves with the first line of progress that matches, past or future; rejects when the process ends before. */
  line(pattern: RegExp): Promise<string> {
    const past = this.#lines.find((line) => pattern.test(line));
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve, reject) => {
      this.#listeners.push((line) => {
        if (pattern.test(line)) resolve(line);
      });
      void this.ended.then(({ stderr }) => reject(new RangeError(`ended without a line like ${pattern}:\n${stderr}`)));
    });
  }

  lab(): LabFile {
    return JSON.parse(readFileSync(join(this.folder, "home", "lab.json"), "utf8")) as LabFile;
  }

  /** Of the only run so far. */
  get archive(): string {
    const runs = join(this.folder, "runs");
    return join(runs, readdirSync(runs)[0] as string);
  }

  /** The daemons that exist now, by node: those that were started again have other ids than the lab's file says. */
  daemons(): Map<string, number> {
    const folder = join(this.folder, "home", "rehearsal", "config");
    return new Map(
      readdirSync("/proc").flatMap((pid) => {
        const file = argumentsOf(pid).at(-1) ?? "";
        return dirname(file) === folder ? [[basename(file, ".json"), Number(pid)] as const] : [];
      }),
    );
  }

  /** Ctrl-C, as a terminal sends it: to the command and to every daemon. */
  interrupt(): void {
    for (const pid of this.daemons().values()) process.kill(pid, "SIGINT");
    this.child.kill("SIGINT");
  }

  keys(node: string): IdentityFiles {
    const folder = join(this.folder, "home", "rehearsal", "keys");
    return {
      ca: join(folder, "ca.pem"),
      certificate: join(folder, `${node}.pem`),
      key: join(folder, `${node}-key.pem`),
    };
  }

  configOf(node: string): Record<string, unknown> {
    return JSON.parse(readFileSync(join(this.folder, "home", "rehearsal", "config", `${node}.json`), "utf8")) as Record<
      string,
      unknown
    >;
  }

  logOf(node: string): string {
    return readFileSync(join(this.folder, "home", "rehearsal", "logs", `${node}.log`), "utf8");
  }

  /** Ends it as Ctrl-C does, and removes its folder. */
  async remove(): Promise<void> {
    if (this.child.exitCode === null) this.child.kill("SIGINT");
    await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Of a process; empty when it has ended, and of what is none. */
const argumentsOf = (pid: string): string[] => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    return [];
  }
};

const attempts = 3;
/** A condition that a busy machine breaks, as a run's last line tells it. */
const busyMachine = /[^;:]+; the machine is too slow for this clock: lower clock_speed_ratio or end other work/g;

/** A run's reasons without those that only a busy machine gives it. */
export const besidesBusyMachine = (reasons: readonly string[]): string[] =>
  reasons.filter((reason) => reason.replace(busyMachine, "") !== "");

/**
 * Has something run until the run is complete: what only a busy machine made invalid is repeated, any other reason is an error.
 *
 * @param run resolves with what tells how the run ended: `run <id> is complete`, or `run <id> is invalid: <reasons>`
 * @throws RangeError with the reasons
 */
export const completeRun = async (run: () => Promise<string>): Promise<void> => {
  for (let attempt = 1; ; attempt += 1) {
    const told = await run();
    const verdict = /^run \S+ is .*$/m.exec(told)?.[0] ?? told;
    if (/^run \S+ is complete$/.test(verdict)) return;
    const isBusy = /^run \S+ is invalid:[\s;]*$/.test(verdict.replace(busyMachine, ""));
    if (!isBusy || attempt === attempts) throw new RangeError(`attempt ${attempt} of ${attempts}: ${verdict}`);
    console.log(`repeated: ${verdict}`);
  }
};

/** True while a process exists. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
