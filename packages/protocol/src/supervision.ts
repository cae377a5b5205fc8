import { spawn } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** What a daemon says when it is ready. */
export interface Ready {
  readonly port?: number;
  readonly dashboardPort?: number;
}

/**
 * A daemon's side of whoever supervises it: `offload lab up --rehearsal` over a channel of Node's, or systemd.
 *
 * systemd wants datagrams on a Unix socket (sd_notify(3)), which Node does not have: a small helper, named by
 * `OFFLOAD_NOTIFIER`, lives beside the daemon and passes on each line that it is given. The watchdog is fed from the event
 * loop: when that is blocked, nothing is passed on, and systemd starts the daemon again.
 */
export class Supervision {
  readonly #stopped = new AbortController();
  readonly #notifier: Socket | undefined;
  readonly #busyFile: string | undefined;

  constructor(environment: NodeJS.ProcessEnv = process.env) {
    const { OFFLOAD_NOTIFIER: helper, NOTIFY_SOCKET: socket, RUNTIME_DIRECTORY: folder } = environment;
    this.#busyFile = folder === undefined ? undefined : join(folder, "busy");
    if (helper === undefined || socket === undefined) return;
    const child = spawn(helper, { stdio: ["pipe", "inherit", "inherit"], env: environment });
    // Without its helper a daemon is restarted by the watchdog, and its log says why.
    child.on("error", (error) => process.stderr.write(`${helper}: ${error.message}\n`));
    // A pipe is a socket. Neither it nor the helper keeps a daemon alive that has nothing else to do.
    const pipe = child.stdin as Socket;
    pipe.on("error", () => undefined);
    pipe.unref();
    child.unref();
    this.#notifier = pipe;
    const period = Number(environment["WATCHDOG_USEC"] ?? 0) / 1000;
    if (period > 0) void this.#feed(period / 3);
  }

  /** The daemon can be used from now on. */
  ready(what: Ready = {}): void {
    process.send?.({ ready: true, ...what });
    this.#say("READY=1");
  }

  /**
   * How the daemon ends, once, when its supervisor says so or is gone. A rehearsal's daemons do not hear the terminal's
   * Ctrl-C: the process that started them ends its run first.
   */
  endsWith(stop: () => Promise<void>): void {
    let isEnding = false;
    const end = (): void => {
      if (isEnding) return;
      isEnding = true;
      this.stopping();
      void stop().then(() => process.exit());
    };
    for (const event of ["SIGTERM", process.connected ? "disconnect" : "SIGINT"]) process.once(event, end);
    if (process.connected) for (const signal of ["SIGINT", "SIGHUP"]) process.on(signal, () => undefined);
  }

  /** While a run is open on this node, nobody may deploy to it: deployments look for the file. */
  async busy(run: string | undefined): Promise<void> {
    if (this.#busyFile === undefined) return;
    await (run === undefined ? rm(this.#busyFile, { force: true }) : writeFile(this.#busyFile, `${run}\n`));
  }

  /** The daemon begins to end. */
  stopping(): void {
    this.#say("STOPPING=1");
    this.#stopped.abort();
  }

  async #feed(pauseMilliseconds: number): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      this.#say("WATCHDOG=1");
      await sleep(pauseMilliseconds, undefined, { signal: this.#stopped.signal, ref: false }).catch(() => undefined);
    }
  }

  #say(state: string): void {
    this.#notifier?.write(`${state}\n`);
  }
}
