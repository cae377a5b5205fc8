import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { nodeIds, type Settings, settingsToFile } from "@offloadlab/model";
import { Failure, messageOf, type ToStation } from "@offloadlab/protocol";
import {
  archiveFiles,
  Journal,
  LineWriter,
  type Manifest,
  type ResultRow,
  type RunState,
  readManifest,
  readRun,
  resultRows,
  resultTable,
  sealArchive,
  type Trial,
  taskFates,
  trialSchedule,
  trialSums,
  violatedConditions,
  warmUpTrial,
} from "@offloadlab/records";
import { count } from "@offloadlab/units";
import { Collection } from "./collection.ts";
import type { LabNodeState, Registry } from "./registry.ts";
import { RunFolder } from "./run-folder.ts";

/** Where a run stands, for the CLI and the dashboard. */
export interface RunProgress {
  readonly id: string;
  readonly name: string;
  readonly folder: string;
  readonly state: "preparing" | "running" | "sealing" | RunState;
  readonly reasons: readonly string[];
  readonly trial: Trial | undefined;
  readonly trialCount: number;
  /** Unix seconds. */
  readonly trialStartsAt: number | undefined;
  /** Lab seconds of an epoch. */
  readonly epochSeconds: number;
  readonly clockSpeed: number;
  /** Real seconds. */
  readonly remainingSeconds: number;
  readonly results: readonly ResultRow[];
}

const nodesWaitMilliseconds = 30_000;
const prepareMilliseconds = 15_000;
/** From the order to start until lab time 0, so that every node has it in time. */
const startAheadSeconds = 0.3;
/** A node that lost its connection may be back within this time without harm to the trial. */
const patienceMilliseconds = 4_000;
/** What a trial may last beyond its epoch: the deadline, the longest execution, and slack; lab seconds. */
const drainSeconds = 10;
const typicalDrainSeconds = 2;

/** Runs experiments, one at a time: trials in their order, journals into the archive, the seal at the end. */
export class Conductor {
  readonly #runsFolder: string;
  readonly #registry: Registry;
  readonly #unixNow: () => number;
  readonly #log: (level: "info" | "warn" | "error", message: string) => void;
  #progress: RunProgress | undefined;
  #settings: Settings | undefined;
  #stop = new AbortController();
  #logWriter: LineWriter | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(
    runsFolder: string,
    registry: Registry,
    unixNow: () => number,
    log: (level: "info" | "warn" | "error", message: string) => void,
  ) {
    this.#runsFolder = runsFolder;
    this.#registry = registry;
    this.#unixNow = unixNow;
    this.#log = log;
  }

  get progress(): RunProgress | undefined {
    return this.#progress;
  }

  get settings(): Settings | undefined {
    return this.#settings;
  }

  /** Resolves when the current run is sealed. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  logLine(line: string): void {
    this.#logWriter?.append(line);
  }

  /**
   * Begins a run; it goes on by itself.
   *
   * @throws Failure `config/invalid` for a bad manifest, `peer/refused` while another run lasts
   */
  async begin(manifestText: string): Promise<RunProgress> {
    const manifest = readManifest(manifestText, "experiment.yaml");
    if ("problems" in manifest) throw new Failure("config/invalid", manifest.problems.join("\n"));
    if (this.#progress !== undefined && isActive(this.#progress)) {
      throw new Failure("peer/refused", `run ${this.#progress.id} is not over; stop it or wait for its end`);
    }
    const trials = trialSchedule(manifest.policies, manifest.repetitions, manifest.seed);
    const stamp = new Intl.DateTimeFormat("sv", { dateStyle: "short", timeStyle: "medium" })
      .format(this.#unixNow() * 1000)
      .replaceAll(/[^0-9]/g, "");
    const id = `${stamp.slice(0, 8)}-${stamp.slice(8)}-${manifest.name}-${randomBytes(2).toString("hex")}`;
    const progress: RunProgress = {
      id,
      name: manifest.name,
      folder: join(this.#runsFolder, id),
      state: "preparing",
      reasons: [],
      trial: undefined,
      trialCount: trials.length,
      trialStartsAt: undefined,
      epochSeconds: manifest.settings.timeSlot * manifest.settings.timeSlotCount,
      clockSpeed: manifest.clockSpeed,
      remainingSeconds: 0,
      results: [],
    };
    this.#progress = progress;
    this.#settings = manifest.settings;
    this.#stop = new AbortController();
    const folder = await RunFolder.create(progress.folder, manifestText, manifest, trials);
    this.#ended = this.#conduct(manifest, trials, folder).catch((error: unknown) => {
      this.#log("error", `run ${id} failed: ${messageOf(error)}`);
      this.#update({ state: "invalid", reasons: [...(this.#progress?.reasons ?? []), messageOf(error)] });
    });
    return progress;
  }

  /** Ends the current run early; its archive is sealed as interrupted. */
  stop(reason: string): void {
    this.#stop.abort(reason);
  }

  /** Seals runs that a C-BS before this one was killed in, with what the nodes still have of them. */
  async recover(): Promise<void> {
    for (const id of await RunFolder.unsealed(this.#runsFolder)) {
      this.#log("warn", `run ${id} was not sealed: collecting its journals`);
      const path = join(this.#runsFolder, id);
      const text = await readFile(join(path, archiveFiles.manifest), "utf8");
      const manifest = readManifest(text, archiveFiles.manifest);
      if ("problems" in manifest) {
        this.#log("error", `${path} cannot be sealed: ${manifest.problems.join("; ")}`);
        continue;
      }
      const trials = trialSchedule(manifest.policies, manifest.repetitions, manifest.seed);
      this.#settings = manifest.settings;
      this.#progress = {
        id,
        name: manifest.name,
        folder: path,
        state: "sealing",
        reasons: ["the C-BS was restarted in the midst of the run"],
        trial: undefined,
        trialCount: trials.length,
        trialStartsAt: undefined,
        epochSeconds: manifest.settings.timeSlot * manifest.settings.timeSlotCount,
        clockSpeed: manifest.clockSpeed,
        remainingSeconds: 0,
        results: [],
      };
      // The same files again: the C-BS may have been killed before it had written all of them.
      const folder = await RunFolder.create(path, text, manifest, trials);
      const nodes = nodeIds(manifest.settings);
      const collection = new Collection(id, nodes, folder, this.#registry);
      const journal = await this.#openJournal(path);
      await this.#nodesOnline(nodes, nodesWaitMilliseconds / 2);
      for (const node of nodes) this.#registry.send(node, { type: "abort", run: id, reason: "the C-BS was restarted" });
      await this.#seal("invalid", journal, collection, folder);
    }
  }

  async #conduct(manifest: Manifest, trials: readonly Trial[], folder: RunFolder): Promise<void> {
    const { id } = this.#progress as RunProgress;
    const nodes = nodeIds(manifest.settings);
    const journal = await this.#openJournal(folder.path);
    journal.write({ kind: "run", state: "preparing" });
    this.#log("info", `run ${id}: ${trials.length} trials of ${manifest.policies.join(", ")}`);
    const collection = new Collection(id, nodes, folder, this.#registry);
    const watch = this.#watchNodes(nodes, journal);
    let state: RunState = "complete";
    try {
      const missing = await this.#nodesOnline(nodes, nodesWaitMilliseconds);
      if (missing.length > 0) throw new RunInvalid(`not connected: ${missing.join(", ")}`);
      await collection.open();
      const warmUp: Trial = { number: warmUpTrial, policy: "greedy", repetition: 0, seed: manifest.seed };
      const short = { ...manifest, settings: warmUpSettings(manifest.settings) };
      await this.#runTrial(short, warmUp, nodes, journal, watch.lost, folder);
      for (const trial of trials) await this.#runTrial(manifest, trial, nodes, journal, watch.lost, folder);
    } catch (error) {
      const interrupted = this.#stop.signal.aborted;
      state = interrupted ? "interrupted" : "invalid";
      const reason = interrupted ? String(this.#stop.signal.reason) : messageOf(error);
      if (!interrupted && !(error instanceof RunInvalid)) this.#log("error", `run ${id}: ${reason}`);
      this.#update({ reasons: [reason] });
      for (const node of nodes) this.#registry.send(node, { type: "abort", run: id, reason });
    } finally {
      watch.end();
    }
    await this.#seal(state, journal, collection, folder);
  }

  async #runTrial(
    manifest: Manifest,
    trial: Trial,
    nodes: readonly string[],
    journal: Journal,
    lost: Promise<never>,
    folder: RunFolder,
  ): Promise<void> {
    const { id, trialCount } = this.#progress as RunProgress;
    const epochSeconds = manifest.settings.timeSlot * manifest.settings.timeSlotCount;
    const { clockSpeed } = manifest;
    const perTrial = (epochSeconds + typicalDrainSeconds) / clockSpeed + startAheadSeconds + 0.3;
    const left = (trialCount - trial.number + 1) * perTrial;
    this.#update({ state: "running", trial, trialStartsAt: undefined, epochSeconds, remainingSeconds: left });
    const prepared = this.#answers(nodes, "prepared", id, trial.number);
    const settings = settingsToFile(manifest.settings);
    const order = { run: id, trial: trial.number, policy: trial.policy, seed: trial.seed, deviceSeed: manifest.seed };
    for (const node of nodes) this.#registry.send(node, { type: "prepare", ...order, clockSpeed, settings });
    await this.#within(prepareMilliseconds, "prepare", prepared, lost);
    const startsAtUnixSeconds = this.#unixNow() + startAheadSeconds;
    journal.write({ kind: "trial", trial: trial.number, policy: trial.policy, seed: trial.seed, startsAtUnixSeconds });
    this.#update({ trialStartsAt: startsAtUnixSeconds });
    const finished = this.#answers(nodes, "finished", id, trial.number);
    for (const node of nodes) {
      const startsAt = startsAtUnixSeconds + phaseOf(manifest.settings, node) / clockSpeed;
      this.#registry.send(node, { type: "start", run: id, trial: trial.number, startsAtUnixSeconds: startsAt });
    }
    const limit = ((epochSeconds + drainSeconds) / clockSpeed + startAheadSeconds + 5) * 1000;
    await this.#within(limit, `end trial ${trial.number}`, finished, lost);
    journal.write({ kind: "trial-end", trial: trial.number });
    await journal.flush();
    this.#update({ trialStartsAt: undefined, results: await this.#resultsSoFar(folder.path) });
  }

  /** Resolves when every node has answered for a trial; rejects when one says that it failed. */
  #answers(nodes: readonly string[], type: "prepared" | "finished", run: string, trial: number): Waiting {
    const open = new Set(nodes);
    const end = new AbortController();
    const done = new Promise<void>((resolve, reject) => {
      const listen = (node: string, message: ToStation): void => {
        if ((message.type !== type && message.type !== "failed") || message.run !== run || message.trial !== trial)
          return;
        if (message.type === "failed") reject(new RunInvalid(`${node}: ${message.reason}`));
        open.delete(node);
        if (open.size === 0) resolve();
      };
      this.#registry.on("message", listen);
      end.signal.addEventListener("abort", () => this.#registry.off("message", listen));
    });
    // Someone awaits it later, or nobody does when another reason ends the run first.
    done.catch(() => undefined);
    return { open, done, end };
  }

  async #within(milliseconds: number, what: string, answers: Waiting, lost: Promise<never>): Promise<void> {
    const over = new AbortController();
    const stopped = new Promise<never>((_, reject) => {
      this.#stop.signal.addEventListener("abort", () => reject(new RunInvalid("stopped")), { signal: over.signal });
      if (this.#stop.signal.aborted) reject(new RunInvalid("stopped"));
    });
    stopped.catch(() => undefined);
    const late = sleep(milliseconds, undefined, { signal: over.signal }).then(() => {
      throw new RunInvalid(`did not ${what} in time: ${[...answers.open].join(", ")}`);
    });
    late.catch(() => undefined);
    try {
      await Promise.race([answers.done, lost, stopped, late]);
    } finally {
      over.abort();
      answers.end.abort();
    }
  }

  /** Follows the nodes of a run: one that restarts, or stays away, makes it invalid. */
  #watchNodes(nodes: readonly string[], journal: Journal): { lost: Promise<never>; end: () => void } {
    const boots = new Map(nodes.map((id) => [id, this.#registry.find(id)?.boot]));
    const away = new Map<string, AbortController>();
    let fail: (error: RunInvalid) => void = () => {};
    const lost = new Promise<never>((_, reject) => {
      fail = reject;
    });
    lost.catch(() => undefined);
    const online = ({ id, boot }: LabNodeState): void => {
      if (!boots.has(id)) return;
      journal.write({ kind: "node", node: id, state: "online", boot });
      away.get(id)?.abort();
      if (boots.get(id) !== undefined && boots.get(id) !== boot)
        fail(new RunInvalid(`${id} was restarted in the midst of the run`));
      boots.set(id, boot);
    };
    const offline = ({ id, boot }: LabNodeState): void => {
      if (!boots.has(id)) return;
      journal.write({ kind: "node", node: id, state: "offline", boot });
      const patience = new AbortController();
      away.set(id, patience);
      void sleep(patienceMilliseconds, undefined, { signal: patience.signal }).then(
        () => fail(new RunInvalid(`${id} was lost in the midst of the run`)),
        () => undefined,
      );
    };
    this.#registry.on("online", online);
    this.#registry.on("offline", offline);
    const end = (): void => {
      this.#registry.off("online", online);
      this.#registry.off("offline", offline);
      for (const patience of away.values()) patience.abort();
    };
    return { lost, end };
  }

  /** Waits for nodes; returns those that did not come. */
  async #nodesOnline(nodes: readonly string[], milliseconds: number): Promise<string[]> {
    const missing = (): string[] => nodes.filter((id) => this.#registry.find(id)?.online !== true);
    const limit = AbortSignal.any([AbortSignal.timeout(milliseconds), this.#stop.signal]);
    while (missing().length > 0 && !limit.aborted) {
      await new Promise<void>((resolve) => {
        this.#registry.once("online", () => resolve());
        limit.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    return missing();
  }

  async #openJournal(path: string): Promise<Journal> {
    for (const folder of ["journals", "logs"]) await mkdir(join(path, folder), { recursive: true });
    this.#logWriter = await LineWriter.open(join(path, archiveFiles.log("cbs")));
    const journal = new Journal(await LineWriter.open(join(path, archiveFiles.journal("cbs"))), this.#unixNow);
    journal.write({ kind: "boot", node: "cbs", boot: randomBytes(8).toString("hex") });
    return journal;
  }

  /** Collects what the nodes have, settles lost tasks, writes results, checksums and the status. */
  async #seal(state: RunState, journal: Journal, collection: Collection, folder: RunFolder): Promise<void> {
    const { id } = this.#progress as RunProgress;
    this.#update({ state: "sealing", trialStartsAt: undefined, remainingSeconds: 0 });
    const missing = await collection.close();
    const reasons = [...(this.#progress?.reasons ?? []), ...missing];
    let final: RunState = state === "complete" && reasons.length > 0 ? "invalid" : state;
    await folder.close();
    await journal.flush();
    const { journals } = await readRun(folder.path);
    const fates = taskFates(journals);
    const violated = state === "complete" ? violatedConditions(journals) : [];
    for (const { trial, task, ends } of fates) if (ends.length === 0) journal.write({ kind: "lost", trial, task });
    const lost = fates.filter(({ ends }) => ends.length === 0 || ends.some(({ outcome }) => outcome === "lost")).length;
    if (lost > 0) {
      reasons.push(`${lost} of ${fates.length} tasks were lost`);
      if (final === "complete") final = "invalid";
    }
    reasons.push(...violated);
    if (violated.length > 0) final = "invalid";
    journal.write({ kind: "run", state: final, ...(reasons.length > 0 ? { reason: reasons.join("; ") } : {}) });
    await journal.close();
    const rows = await this.#resultsSoFar(folder.path);
    await writeFile(join(folder.path, archiveFiles.results), `${JSON.stringify({ rows }, null, 2)}\n`);
    await writeFile(join(folder.path, archiveFiles.table), `${resultTable(rows)}\n`);
    this.#log("info", `run ${id} is ${final}${reasons.length > 0 ? `: ${reasons.join("; ")}` : ""}`);
    await this.#logWriter?.close();
    this.#logWriter = undefined;
    await sealArchive(folder.path, final, reasons);
    this.#update({ state: final, reasons, results: rows });
  }

  /** The comparison over the trials that have ended. */
  async #resultsSoFar(path: string): Promise<ResultRow[]> {
    const { settings, trials, journals } = await readRun(path);
    return resultRows(trialSums(settings, trials, taskFates(journals)));
  }

  #update(change: Partial<RunProgress>): void {
    if (this.#progress !== undefined) this.#progress = { ...this.#progress, ...change };
  }
}

interface Waiting {
  readonly open: ReadonlySet<string>;
  readonly done: Promise<void>;
  readonly end: AbortController;
}

const warmUpTimeSlots = 4;

/** The settings of a few time-slots. */
const warmUpSettings = (settings: Settings): Settings => ({
  ...settings,
  timeSlotCount: count(Math.min(settings.timeSlotCount, warmUpTimeSlots)),
});

/**
 * Lab seconds by which a node's community starts after the first one: the sub-slots of communities, which have nothing
 * in common but the C-BS, are spread so that their bursts of work do not meet.
 */
const phaseOf = (settings: Settings, node: string): number => {
  const subSlot = settings.timeSlot / settings.subSlotsPerTimeSlot;
  return ((Number(node.split("-")[1]) - 1) / settings.communities.length) * subSlot;
};

/** A run that its own conditions end. */
class RunInvalid extends RangeError {}

export const isActive = ({ state }: RunProgress): boolean =>
  state === "preparing" || state === "running" || state === "sealing";
