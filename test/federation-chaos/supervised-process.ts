import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import type { PartConfig } from "./parts.ts";

/** A process that is started again whenever it ends, as systemd does. */
export class SupervisedProcess {
  readonly id: string;
  readonly #program: string;
  readonly #config: PartConfig;
  readonly #logFile: string;
  readonly #onMessage: (message: { ready?: boolean; ended?: number }) => void;
  #child: ChildProcess;
  readonly #killed = new WeakSet<ChildProcess>();
  #stopping = false;
  /** How often it was started again. */
  restarts = 0;

  constructor(
    program: string,
    config: PartConfig,
    logFile: string,
    onMessage: (message: { ready?: boolean; ended?: number }) => void = () => {},
  ) {
    this.id = config.id;
    this.#program = program;
    this.#config = config;
    this.#logFile = logFile;
    this.#onMessage = onMessage;
    this.#child = this.#start();
  }

  send(message: number): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  /** At this moment, whatever it does; one that is being killed already is waited for and killed when it is back. */
  async kill(): Promise<void> {
    for (let child = this.#child; ; child = this.#child) {
      if (child.kill("SIGKILL") && !this.#killed.has(child)) {
        this.#killed.add(child);
        return;
      }
      await once(child, "exit");
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await exited;
  }

  #start(): ChildProcess {
    const log = openSync(this.#logFile, "a");
    const child = spawn(process.execPath, [this.#program, JSON.stringify(this.#config)], {
      stdio: ["ignore", log, log, "ipc"],
      env: { ...process.env, ORT_DISABLE_TELEMETRY: "1" },
    });
    closeSync(log);
    child.on("message", (message) => this.#onMessage(message as { ready?: boolean; ended?: number }));
    child.once("exit", () => {
      if (this.#stopping) return;
      this.restarts += 1;
      this.#child = this.#start();
    });
    return child;
  }
}
