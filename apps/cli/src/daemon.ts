import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure, type Ready } from "@offloadlab/protocol";

/**
 * Uploads come and go, a megabyte each: a larger young generation, and an old one that may grow, spare the event loop most of
 * the collections that they cause. On few cores it waits longer for helpers of the collector than it takes alone.
 */
export const nodeOptions = ["--single-threaded-gc", "--max-semi-space-size=32", "--heap-growing-percent=1000"] as const;
const readyMilliseconds = 30_000;
/** The C-BS may have to collect and seal a run before it ends. */
const stopMilliseconds = 25_000;
const restartMilliseconds = 1_000;
/** As systemd's start limit: a daemon that ends more often than this in a while is broken. */
const maxRestarts = 5;
const restartsMilliseconds = 60_000;

/** A daemon of the rehearsal as an operating-system process: started, restarted when it dies, stopped. */
export class Daemon {
  readonly id: string;
  readonly #bundle: string;
  readonly #configFile: () => string;
  readonly #logFile: string;
  readonly #say: (line: string) => void;
  #child: ChildProcess | undefined;
  #stopping = false;
  /** When it was started again lately. */
  #restarts: readonly number[] = [];

  /** @param configFile called at every start: after the first one the ports are known */
  constructor(id: string, bundle: string, configFile: () => string, logFile: string, say: (line: string) => void) {
    this.id = id;
    this.#bundle = bundle;
    this.#configFile = configFile;
    this.#logFile = logFile;
    this.#say = say;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Starts the process.
   *
   * @throws Failure `peer/unreachable` with the end of its log when it does not get ready
   */
  async start(): Promise<Ready> {
    const log = openSync(this.#logFile, "a");
    const child = spawn(process.execPath, [...nodeOptions, this.#bundle, "--config", this.#configFile()], {
      stdio: ["ignore", log, log, "ipc"],
      // In the session of all the others: Linux weighs the threads' priorities within a session (sched_autogroup).
      env: { ...process.env, ORT_DISABLE_TELEMETRY: "1", NODE_ENV: "production" },
    });
    closeSync(log);
    this.#child = child;
    const ready = await new Promise<Ready | undefined>((resolve) => {
      child.once("message", (message) => resolve(message as Ready));
      child.once("exit", () => resolve(undefined));
      void sleep(readyMilliseconds, undefined, { ref: false }).then(() => resolve(undefined));
    });
    if (ready === undefined) {
      child.kill("SIGKILL");
      const tail = readFileSync(this.#logFile, "utf8").trimEnd().split("\n").slice(-5).join("\n");
      throw new Failure("peer/unreachable", `${this.id} did not start:\n${tail}`);
    }
    child.once("exit", (code, signal) => void this.#onExit(signal ?? `code ${code}`));
    return ready;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGTERM");
    const late = new AbortController();
    await Promise.race([exited, sleep(stopMilliseconds, undefined, { signal: late.signal }).catch(() => undefined)]);
    late.abort();
    child.kill("SIGKILL");
    await exited;
  }

  async #onExit(how: string): Promise<void> {
    if (this.#stopping) return;
    const now = performance.now();
    this.#restarts = [...this.#restarts.filter((moment) => now - moment < restartsMilliseconds), now];
    if (this.#restarts.length > maxRestarts) {
      this.#say(
        `${this.id} ended (${how}) and is not started again after ${maxRestarts} restarts within a minute; its log is ${this.#logFile}`,
      );
      return;
    }
    this.#say(`${this.id} ended (${how}), starting it again`);
    await sleep(restartMilliseconds);
    if (this.#stopping) return;
    await this.start().catch((error: Error) => {
      this.#say(error.message);
      return this.#onExit("did not start");
    });
  }
}
