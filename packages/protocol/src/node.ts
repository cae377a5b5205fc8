import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Settings, settingsFromFile } from "@offloadlab/model";
import { Journal, LineWriter } from "@offloadlab/records";
import type { Environment } from "./environment.ts";
import { messageOf } from "./failure.ts";
import type { Identity } from "./identity.ts";
import { Link } from "./link.ts";
import {
  type DeviceTelemetry,
  type LearningOrder,
  protocolVersion,
  type RunFile,
  type ServerTelemetry,
  type ToNode,
} from "./link-messages.ts";
import { Shipping } from "./shipping.ts";
import type { TlsMaterial } from "./tls.ts";

/** One trial as the C-BS asks a node to run it. */
export interface TrialOrder {
  readonly run: string;
  readonly trial: number;
  readonly policy: string;
  /** Of the workload; trials with the same seed have the same arrivals. */
  readonly seed: number;
  /** Of the devices' constants, the same in the whole run. */
  readonly deviceSeed: number;
  readonly clockSpeed: number;
  readonly settings: Settings;
  /** Whether T^tr of leases is Eq. (2)'s, or corrected by what uploads of the device have taken. */
  readonly link: "theoretical" | "corrected";
  /** Real rate over Eq. (1)'s of emulated radios, where they differ. */
  readonly uplinkRateRatios: Readonly<Record<string, number>>;
  /** Of a learned policy: SHA-256 of its agents' file. */
  readonly agents: string | null;
  /** null: the policy stays as it is. */
  readonly learning: LearningOrder | null;
  /** Trials of the policy that came to their end in this run: what a learner is to go on from. */
  readonly epochsBefore: number;
}

/** What an ED or a MEC does in a trial. */
export interface TrialWork {
  /** Resolves when the node has nothing of the trial left. */
  run(startsAtUnixSeconds: number): Promise<void>;
  /** Ends it early. */
  abort(reason: string): void;
}

export interface NodeOptions {
  readonly identity: Identity & { readonly role: "ed" | "mec" };
  /** `wss://host:port/link` */
  readonly stationUrl: string;
  readonly tls: TlsMaterial;
  /** Where the journals of runs are kept until the C-BS has them. */
  readonly stateFolder: string;
  /** What the node's numbers come from; emulated when absent. */
  readonly hardware?: "emulated" | "linux";
  readonly environment: Environment;
  readonly unixNow: () => number;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
  /** Is told of the run that is open here, and when none is any more. */
  readonly busy: (run: string | undefined) => Promise<void>;
  readonly telemetry: () => { device: DeviceTelemetry } | { server: ServerTelemetry };
  readonly prepare: (order: TrialOrder, journal: Journal) => Promise<TrialWork>;
}

interface OpenRun {
  readonly id: string;
  readonly journal: Journal;
  readonly log: LineWriter;
  readonly ships: Readonly<Record<RunFile, Shipping>>;
  closed: boolean;
}

/** A trial that was prepared here. */
interface CurrentWork {
  readonly trial: number;
  readonly work: TrialWork;
  /** Resolves when nothing of it goes on any more. */
  running: Promise<void>;
  isOver: boolean;
}

/**
 * A daemon's side of the lab: keeps the link up, runs trials when the C-BS orders them, writes the run's journal and log
 * to its own disk first and ships them from there.
 */
export class LabNode {
  readonly #options: NodeOptions;
  readonly #boot = randomUUID();
  readonly #link: Link;
  readonly #stopped = new AbortController();
  #heartbeat = 1;
  #run: OpenRun | undefined;
  #work: CurrentWork | undefined;
  /** Messages are handled one after the other: a `prepare` must not overtake the `open` before it. */
  #inbox: Promise<void> = Promise.resolve();

  constructor(options: NodeOptions) {
    this.#options = options;
    const { identity, environment, hardware = "emulated" } = options;
    this.#link = new Link(options.stationUrl, options.tls, () => ({
      type: "hello",
      version: protocolVersion,
      node: identity.id,
      role: identity.role,
      boot: this.#boot,
      hardware,
      environment,
    }));
    this.#link.on("up", () => options.log("info", `connected to the C-BS at ${options.stationUrl}`));
    this.#link.on("down", (reason) => options.log("warn", `no connection to the C-BS: ${reason}`));
    this.#link.on("message", (message) => {
      this.#inbox = this.#inbox.then(() => this.#receive(message));
    });
  }

  /** Resolves after `close`. */
  async run(): Promise<void> {
    await Promise.all([this.#link.run(), this.#beat()]);
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    this.#abandon("the node stops");
    await this.#inbox;
    await this.#run?.journal.flush();
    this.#link.close();
  }

  /** Adds a line to the open run's log. */
  logLine(line: string): void {
    if (this.#run?.closed === false) this.#run.log.append(line);
  }

  async #beat(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      this.#link.send({ type: "telemetry", ...this.#options.telemetry() });
      const pause = this.#heartbeat * 1000 * (0.9 + 0.2 * Math.random());
      await sleep(pause, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
    }
  }

  async #receive(message: ToNode): Promise<void> {
    switch (message.type) {
      case "welcome":
        this.#heartbeat = message.heartbeatSeconds;
        return;
      case "open":
        return this.#open(message.run, { journal: message.journalBytes, log: message.logBytes });
      case "have":
        if (this.#run?.id === message.run) this.#run.ships[message.file].have(message.offset, false);
        return;
      case "prepare":
        return this.#prepare(message);
      case "start":
        return this.#start(message.run, message.trial, message.startsAtUnixSeconds);
      case "abort":
        this.#abandon(message.reason);
        return;
      case "close":
        return this.#close(message.run);
    }
  }

  async #open(id: string, have: Record<RunFile, number>): Promise<void> {
    if (this.#run?.id !== id) {
      await this.#discard();
      const folder = join(this.#options.stateFolder, id);
      await mkdir(folder, { recursive: true });
      const path = (file: RunFile): string => join(folder, `${file}.ndjson`);
      const ships = {
        journal: new Shipping(this.#link, id, "journal", path("journal")),
        log: new Shipping(this.#link, id, "log", path("log")),
      };
      const writer = await LineWriter.open(path("journal"), () => void ships.journal.ship());
      const journal = new Journal(writer, this.#options.unixNow);
      const log = await LineWriter.open(path("log"), () => void ships.log.ship());
      this.#run = { id, journal, log, ships, closed: false };
      journal.write({ kind: "boot", node: this.#options.identity.id, boot: this.#boot });
      await journal.flush();
    }
    this.#run?.ships.journal.have(have.journal, true);
    this.#run?.ships.log.have(have.log, true);
    if (this.#run?.closed === true) await this.#sayClosed(this.#run);
    else await this.#options.busy(id);
  }

  async #prepare(message: ToNode & { type: "prepare" }): Promise<void> {
    const { type: _, ...order } = message;
    const { run, trial } = order;
    if (this.#run?.id !== run) return;
    try {
      // The C-BS may have been away when it abandoned the trial before.
      this.#abandon(`trial ${trial} begins`);
      await this.#work?.running;
      const settings = settingsFromFile(order.settings);
      const work = await this.#options.prepare({ ...order, settings }, this.#run.journal);
      this.#work = { trial, work, running: Promise.resolve(), isOver: false };
      this.#link.send({ type: "prepared", run, trial });
    } catch (error) {
      this.#link.send({ type: "failed", run, trial, reason: messageOf(error) });
      this.#options.log("error", `trial ${trial} cannot be prepared: ${messageOf(error)}`);
    }
  }

  #start(run: string, trial: number, startsAtUnixSeconds: number): void {
    const current = this.#work;
    const open = this.#run;
    if (open?.id !== run || current?.trial !== trial || current.isOver) return;
    // Not awaited: an abort must get through while the trial runs.
    current.running = (async () => {
      try {
        await current.work.run(startsAtUnixSeconds);
        current.isOver = true;
        open.journal.write({ kind: "trial-end", trial });
        await open.journal.flush();
        this.#link.send({ type: "finished", run, trial, journalBytes: await open.journal.size() });
      } catch (error) {
        this.#link.send({ type: "failed", run, trial, reason: messageOf(error) });
        this.#options.log("error", `trial ${trial} failed: ${messageOf(error)}`);
      }
    })();
  }

  /** Ends the current trial, if it is not over. */
  #abandon(reason: string): void {
    const current = this.#work;
    if (current === undefined || current.isOver) return;
    current.isOver = true;
    current.work.abort(reason);
  }

  async #close(run: string): Promise<void> {
    if (this.#run?.id !== run) return;
    this.#abandon("the run is closed");
    await this.#work?.running;
    this.#work = undefined;
    this.#run.closed = true;
    await this.#options.busy(undefined);
    await this.#sayClosed(this.#run);
  }

  async #sayClosed(run: OpenRun): Promise<void> {
    await Promise.all([run.journal.flush(), run.log.flush()]);
    const [journalBytes, logBytes] = await Promise.all([run.journal.size(), run.log.size()]);
    this.#link.send({ type: "closed", run: run.id, journalBytes, logBytes });
  }

  async #discard(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    await Promise.all([run.journal.close(), run.log.close(), run.ships.journal.close(), run.ships.log.close()]);
  }
}
