import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isPolicySource, shippedModels } from "@offloadlab/deployed";
import { nodeIds, type Settings } from "@offloadlab/model";
import { Failure, type LiveFederation, messageOf } from "@offloadlab/protocol";
import {
  archiveFiles,
  attemptsOf,
  Journal,
  type JournalRecord,
  LineWriter,
  learnedNames,
  type Manifest,
  type RunState,
  readJournal,
  readManifest,
  readStatus,
  sealArchive,
  shippedNames,
  type Trial,
  trialSchedule,
} from "@offloadlab/records";
import { decodeDeployment } from "@offloadlab/simulation";
import { Collection } from "./collection.ts";
import type { Federation } from "./federation.ts";
import { NodeWatch, waitForNodes } from "./node-watch.ts";
import type { Registry } from "./registry.ts";
import { RunFederations } from "./run-federations.ts";
import { type AgentFiles, RunFolder } from "./run-folder.ts";
import { isActive, newProgress, type RunProgress } from "./run-progress.ts";
import { type ScheduleParts, ScheduleRun } from "./schedule-run.ts";
import { resultsOf, settleRun } from "./sealing.ts";
import { TrialResults } from "./trial-results.ts";
import type { RunParts } from "./trial-runner.ts";

type Log = (level: "info" | "warn" | "error", message: string) => void;

const nodesWaitMilliseconds = 30_000;
/** Nodes that come back after a restart of the C-BS do so within seconds; others no longer exist. */
const returnMilliseconds = 10_000;

/** Runs experiments, one at a time: trials in their order, journals into the archive, the seal at the end. */
export class Conductor {
  readonly #runsFolder: string;
  readonly #registry: Registry;
  readonly #unixNow: () => number;
  readonly #log: Log;
  /** Is told of the run that goes on, and when none does any more. */
  readonly #busy: (run: string | undefined) => Promise<void>;
  #progress: RunProgress | undefined;
  #settings: Settings | undefined;
  #stop = new AbortController();
  #federations: RunFederations | undefined;
  #logWriter: LineWriter | undefined;
  /** What becomes of old runs. */
  #recovery: Promise<void> = Promise.resolve();
  /** What goes on: the recovery of old runs at first, then the current run. */
  #work: Promise<void> = Promise.resolve();

  constructor(
    runsFolder: string,
    registry: Registry,
    unixNow: () => number,
    log: Log,
    busy: (run: string | undefined) => Promise<void> = async () => undefined,
  ) {
    this.#runsFolder = runsFolder;
    this.#registry = registry;
    this.#unixNow = unixNow;
    this.#log = log;
    this.#busy = busy;
  }

  get progress(): RunProgress | undefined {
    return this.#progress;
  }

  get settings(): Settings | undefined {
    return this.#settings;
  }

  /** Of each federated policy of the current run, for the dashboard. */
  get federations(): readonly LiveFederation[] {
    return this.#federations?.views() ?? [];
  }

  /** Of a policy of the current run, while its trials last. */
  federationOf(policy: string): Federation | undefined {
    return this.#progress?.state === "running" ? this.#federations?.find(policy) : undefined;
  }

  logLine(line: string): void {
    this.#logWriter?.append(line);
  }

  /**
   * Begins a run; it goes on by itself.
   *
   * @param agents of each learned policy
   * @throws Failure `config/invalid` for a bad manifest, `peer/refused` while another run lasts
   */
  async begin(manifestText: string, agents: AgentFiles = new Map()): Promise<RunProgress> {
    const manifest = readManifest(manifestText, "experiment.yaml");
    if ("problems" in manifest) throw new Failure("config/invalid", manifest.problems.join("\n"));
    checkAgents(manifest, agents);
    const { progress } = this;
    if (progress !== undefined && isActive(progress) && progress.state !== "sealing") throw busy(progress);
    // The seal of the run before, or of one from before a restart, takes seconds at most.
    await this.#work;
    if (this.#progress !== undefined && isActive(this.#progress)) throw busy(this.#progress);
    const trials = trialSchedule(manifest.policies, manifest.repetitions, manifest.seed);
    const stamp = new Intl.DateTimeFormat("sv", { dateStyle: "short", timeStyle: "medium" })
      .format(this.#unixNow() * 1000)
      .replaceAll(/[^0-9]/g, "");
    const id = `${stamp.slice(0, 8)}-${stamp.slice(8)}-${manifest.name}-${randomBytes(2).toString("hex")}`;
    const begun = newProgress(id, join(this.#runsFolder, id), manifest, trials.length);
    this.#progress = begun;
    this.#settings = manifest.settings;
    this.#federations = undefined;
    this.#stop = new AbortController();
    this.#work = this.#guarded(id, async () => {
      const folder = await RunFolder.create(begun.folder, manifestText, manifest, trials, agents);
      await this.#conduct(manifest, trials, folder, agents, await this.#openJournal(folder.path));
    });
    return begun;
  }

  /** The run of an id: the current one, or a sealed one from its archive; undefined when there is none. */
  async find(id: string): Promise<RunProgress | undefined> {
    if (this.#progress?.id === id) return this.#progress;
    const folder = join(this.#runsFolder, id);
    if (!/^[a-z0-9-]+$/.test(id)) return undefined;
    const read = (file: string): Promise<string> => readFile(join(folder, file), "utf8").catch(() => "");
    const status = readStatus(await read(archiveFiles.status));
    const manifest = readManifest(await read(archiveFiles.manifest), archiveFiles.manifest);
    if (status === null || "problems" in manifest) return undefined;
    const { state, reasons } = status;
    return { ...newProgress(id, folder, manifest, 0), state, reasons, ...(await resultsOf(folder)) };
  }

  /** The file of the agents, or models, of a policy of the current run. @throws Failure `peer/refused` when there is none */
  async agentsOf(run: string, policy: string): Promise<Uint8Array> {
    const current = this.#progress;
    if (current?.id !== run || !(isPolicySource(policy) || /^[a-z0-9-]+$/.test(policy)))
      throw new Failure("peer/refused", `there are no agents of ${policy} in a run ${run} that goes on`);
    return readFile(join(current.folder, archiveFiles.policy(policy))).catch((error: unknown) => {
      throw new Failure("peer/refused", `run ${run} has no agents of ${policy}`, { cause: error });
    });
  }

  /** Ends the current run early; its archive is sealed as interrupted. Resolves when it is. */
  async stop(reason: string): Promise<void> {
    this.#stop.abort(reason);
    await this.#recovery;
    await this.#work;
  }

  /**
   * Looks after runs that a C-BS before this one was killed in: one whose nodes still know of it goes on, others are sealed
   * with what the nodes have of them.
   */
  recover(): void {
    this.#recovery = (async () => {
      for (const id of await RunFolder.unsealed(this.#runsFolder)) {
        let goOn: (() => Promise<void>) | undefined;
        await this.#guarded(id, async () => {
          goOn = await this.#recover(id);
        });
        if (goOn !== undefined) this.#work = this.#guarded(id, goOn);
        // Nodes know of one run at a time.
        if (goOn !== undefined) return;
      }
    })();
    this.#work = this.#recovery;
  }

  /** @returns how the run goes on; undefined when it does not, and is sealed */
  async #recover(id: string): Promise<(() => Promise<void>) | undefined> {
    const path = join(this.#runsFolder, id);
    const text = await readFile(join(path, archiveFiles.manifest), "utf8");
    const manifest = readManifest(text, archiveFiles.manifest);
    if ("problems" in manifest) throw new Failure("config/invalid", manifest.problems.join("; "));
    const trials = trialSchedule(manifest.policies, manifest.repetitions, manifest.seed);
    const restarted = "the C-BS was restarted in the midst of it";
    this.#settings = manifest.settings;
    this.#federations = undefined;
    this.#progress = { ...newProgress(id, path, manifest, trials.length), state: "sealing", reasons: [] };
    // The same files again: the C-BS may have been killed before it had written all of them.
    const folder = await RunFolder.create(path, text, manifest, trials);
    const nodes = nodeIds(manifest.settings);
    const known = await folder.boots(nodes);
    await waitForNodes(nodes, this.#registry, returnMilliseconds, this.#stop.signal);
    const agents = await folder.agents([...learnedNames(manifest), ...shippedNames(manifest)]);
    const journal = await this.#openJournal(path);
    const before = await readJournal(join(path, archiveFiles.journal("cbs")));
    for (const { number, hasEnded, abandoned } of attemptsOf(before)) {
      if (!hasEnded && abandoned === null) journal.write({ kind: "abandoned", trial: number, reason: restarted });
    }
    await journal.flush();
    for (const node of nodes) this.#registry.send(node, { type: "abort", run: id, reason: restarted });
    const isKnown = nodes.some(
      (node) => known.get(node) !== undefined && this.#registry.find(node)?.boot === known.get(node),
    );
    if (isKnown && agents !== undefined && !this.#stop.signal.aborted) {
      this.#log("warn", `run ${id} goes on: ${restarted}`);
      this.#update({ state: "preparing" });
      return () => this.#conduct(manifest, trials, folder, agents, journal);
    }
    this.#log("warn", `run ${id} was not sealed: collecting its journals`);
    this.#update({ reasons: ["the C-BS was restarted in the midst of the run, and no node of it was left"] });
    await this.#seal("invalid", journal, new Collection(id, nodes, folder, this.#registry), folder);
    return undefined;
  }

  async #conduct(
    manifest: Manifest,
    trials: readonly Trial[],
    folder: RunFolder,
    files: AgentFiles,
    journal: Journal,
  ): Promise<void> {
    const { id } = this.#progress as RunProgress;
    const nodes = nodeIds(manifest.settings);
    await journal.flush();
    const before = await readJournal(join(folder.path, archiveFiles.journal("cbs")));
    journal.write({ kind: "run", state: "preparing" });
    this.#log("info", `run ${id}: ${trials.length} trials of ${manifest.policies.join(", ")}`);
    const collection = new Collection(id, nodes, folder, this.#registry);
    const watch = new NodeWatch(nodes, this.#registry, journal);
    const onStart = (trialStartsAt: number): void => this.#update({ trialStartsAt });
    const agents = new Map([...files].map(([name, bytes]) => [name, sha256Of(bytes)] as const));
    const fixed = { run: id, manifest, nodes, registry: this.#registry, collection, journal, watch, agents };
    const parts: RunParts = { ...fixed, stop: this.#stop.signal, unixNow: this.#unixNow, onStart };
    const federated = { run: id, folder: folder.path, journal, unixNow: this.#unixNow, log: this.#log };
    const federations = await RunFederations.open(manifest, files, federated);
    this.#federations = federations;
    const results = new TrialResults(folder.path, manifest.settings, nodes);
    const update = (change: Partial<RunProgress>): void => this.#update(change);
    const reason = await this.#runTrials({ ...parts, trials, federations, results, update, log: this.#log }, before);
    watch.end();
    if (reason !== null) {
      this.#update({ reasons: [reason] });
      for (const node of nodes) this.#registry.send(node, { type: "abort", run: id, reason });
    }
    const ended = reason === null ? "complete" : this.#stop.signal.aborted ? "interrupted" : "invalid";
    await this.#seal(ended, journal, collection, folder);
  }

  /** @returns why the run ended early, null when every trial came to its end */
  async #runTrials(parts: ScheduleParts, before: readonly JournalRecord[]): Promise<string | null> {
    const { nodes, registry, stop } = parts;
    const missing = await waitForNodes(nodes, registry, nodesWaitMilliseconds, stop);
    if (stop.aborted) return String(stop.reason);
    if (missing.length > 0) return `not connected: ${missing.join(", ")}`;
    return new ScheduleRun(parts, before).run();
  }

  async #openJournal(path: string): Promise<Journal> {
    for (const folder of ["journals", "logs"]) await mkdir(join(path, folder), { recursive: true });
    this.#logWriter = await LineWriter.open(join(path, archiveFiles.log("cbs")));
    const journal = new Journal(await LineWriter.open(join(path, archiveFiles.journal("cbs"))), this.#unixNow);
    journal.write({ kind: "boot", node: "cbs", boot: randomBytes(8).toString("hex") });
    return journal;
  }

  /** Collects what the nodes have, settles the run, seals its archive. */
  async #seal(state: RunState, journal: Journal, collection: Collection, folder: RunFolder): Promise<void> {
    this.#update({ state: "sealing", trialStartsAt: undefined, remainingSeconds: 0 });
    const missing = await collection.close();
    await folder.close();
    const { id, reasons } = this.#progress as RunProgress;
    const verdict = await settleRun(folder.path, journal, state, [...reasons, ...missing]);
    const why = verdict.reasons.length > 0 ? `: ${verdict.reasons.join("; ")}` : "";
    this.#log("info", `run ${id} is ${verdict.state}${why}`);
    await this.#logWriter?.close();
    this.#logWriter = undefined;
    await sealArchive(folder.path, verdict.state, verdict.reasons);
    this.#update({ state: verdict.state, reasons: verdict.reasons, results: verdict.rows });
  }

  /** What goes wrong with one run (a full disk, a damaged folder) is its end, not the C-BS's. */
  async #guarded(id: string, work: () => Promise<void>): Promise<void> {
    try {
      await this.#busy(id);
      await work();
    } catch (error) {
      this.#logWriter = undefined;
      this.#log("error", `run ${id} failed: ${messageOf(error)}`);
      if (this.#progress?.id !== id) return;
      this.#update({ state: "invalid", reasons: [...this.#progress.reasons, messageOf(error)] });
    } finally {
      await this.#busy(undefined);
    }
  }

  #update(change: Partial<RunProgress>): void {
    if (this.#progress !== undefined) this.#progress = { ...this.#progress, ...change };
  }
}

const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/**
 * @throws Failure `config/invalid` when a learned policy has no agents for every community, or one from outside no models,
 * or no policy has what was sent
 */
const checkAgents = (manifest: Manifest, agents: AgentFiles): void => {
  const expected = [...learnedNames(manifest), ...shippedNames(manifest)];
  const strangers = [...agents.keys()].filter((name) => !expected.includes(name));
  const problems = strangers.map((name) => `files of ${name}, which the manifest does not compare`);
  const { communities } = manifest.settings;
  for (const name of expected) {
    const bytes = agents.get(name);
    if (bytes === undefined) {
      problems.push(`no files of ${name}; \`offload run\` and \`offload lab up\` send them along`);
      continue;
    }
    try {
      if (shippedNames(manifest).includes(name)) {
        const models = shippedModels(bytes);
        const without = communities.filter((community) => !models.has(community.name));
        problems.push(...without.map((community) => `no model of ${name} for ${community.name}`));
      } else {
        const count = decodeDeployment(bytes).agents.length;
        if (count !== communities.length)
          problems.push(`agents of ${name} for ${count} communities, expected ${communities.length}`);
      }
    } catch (error) {
      problems.push(`files of ${name}: ${messageOf(error)}`);
    }
  }
  if (problems.length > 0) throw new Failure("config/invalid", problems.join("\n"));
};

const busy = ({ id }: RunProgress): Failure =>
  new Failure("peer/refused", `run ${id} is not over; stop it or wait for its end`);
