import { EventEmitter, once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { aggregate, ModelMemory, type Weights } from "@offloadlab/federation";
import { encodeTensors } from "@offloadlab/learning";
import {
  checkDigest,
  decodeUpdate,
  Failure,
  type FederationStatus,
  type LiveFederation,
  timeLimit,
  type UpdateReport,
} from "@offloadlab/protocol";
import {
  afterRound,
  afterSkippedRound,
  archiveFiles,
  asJournalled,
  contentDigest,
  decideRound,
  type FederationCourse,
  type FederationSetup,
  federationBegin,
  type Journal,
  type NewRecord,
  type RoundDecision,
  readJournal,
  type Update,
  writeDurably,
} from "@offloadlab/records";
import { federationView } from "./federation-view.ts";

/** A round that a C-BS before this one had opened takes updates for at least this long after its return, real time. */
const graceSeconds = 3;
/** How long servers have to take a result over before the run goes on without them, real time. */
const adoptMilliseconds = 5_000;

interface OpenRound {
  readonly round: number;
  /** The last trial before it. */
  readonly trial: number;
  readonly deadlineUnixSeconds: number;
}

/** What is on the disk after each step of a round, whole or as it was before. */
interface Checkpoint {
  readonly run: string;
  readonly course: FederationCourse;
  readonly open: OpenRound | null;
  /** How the last round ended, as the journal is to have it. */
  readonly last: NewRecord | null;
}

export interface FederationParts {
  readonly run: string;
  /** Of the run. */
  readonly folder: string;
  readonly setup: FederationSetup;
  /** How long a round takes updates, real time. */
  readonly deadlineSeconds: number;
  /** Of the C-BS. */
  readonly journal: Journal;
  readonly unixNow: () => number;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
}

/** A server's weights, taken in. */
interface TakenIn {
  readonly update: Update;
  readonly weights: Weights;
}

/**
 * The C-BS's part of Algorithm 2: opens rounds, takes updates in, averages, tells the result.
 *
 * Every step is on the disk before anyone is told of it, and the checkpoint decides what has happened: a C-BS that is
 * killed at any moment goes on with the same round, and completes its journal from the checkpoint first.
 */
export class Federation {
  readonly setup: FederationSetup;
  readonly #parts: FederationParts;
  /** Those of the journal that are about rounds. */
  readonly #records: NewRecord[] = [];
  /** By node and code. */
  readonly #refusals: Record<string, Record<string, number>> = {};
  readonly #events = new EventEmitter<{ change: []; update: []; adopted: [] }>();
  readonly #adopted = new Map<string, number>();
  readonly #takenIn = new Map<string, TakenIn>();
  /** Where their weights are. */
  readonly #memory: ModelMemory;
  /** Updates that are being written. */
  readonly #taking = new Map<string, Promise<void>>();
  #checkpoint: Checkpoint;
  #takes = false;
  #changes = 0;

  private constructor(parts: FederationParts, checkpoint: Checkpoint) {
    this.setup = parts.setup;
    this.#parts = parts;
    this.#checkpoint = checkpoint;
    this.#memory = new ModelMemory(parts.setup.shapes, parts.setup.nodes.length);
    this.#events.setMaxListeners(0);
  }

  /**
   * Begins the federation of a run, or goes on with it.
   *
   * @throws RangeError when the settings do not fit the communities
   */
  static async open(given: FederationParts): Promise<Federation> {
    // As a replay reads them from the journal.
    const parts = { ...given, setup: asJournalled(given.setup) };
    const file = join(parts.folder, archiveFiles.federation(parts.setup.policy));
    await mkdir(dirname(file), { recursive: true });
    const begin: Checkpoint = { run: parts.run, course: federationBegin(parts.setup), open: null, last: null };
    const kept = await readFile(file, "utf8").then(
      (text) => JSON.parse(text) as Checkpoint,
      () => null,
    );
    const federation = new Federation(parts, kept ?? begin);
    // A run that ends before its first round has a state too.
    if (kept === null) await federation.#keep(begin);
    await federation.#resume();
    return federation;
  }

  /** Where it stands between rounds. */
  get course(): FederationCourse {
    return this.#checkpoint.course;
  }

  /** What the dashboard and Prometheus are told. */
  view(): LiveFederation {
    return federationView(this.setup, this.#records, this.#refusals, this.course, this.#openFor());
  }

  /**
   * One round: takes updates until every server has sent one or the deadline, averages or skips, and waits a moment for
   * the servers to take the result over.
   *
   * @param trial the last one before it
   * @param stop ends it early
   */
  async runRound(trial: number, stop: AbortSignal): Promise<RoundDecision> {
    const { unixNow, log, deadlineSeconds } = this.#parts;
    const { policy } = this.setup;
    if (this.#checkpoint.open === null) {
      const open = { round: this.course.round + 1, trial, deadlineUnixSeconds: unixNow() + deadlineSeconds };
      await this.#keep({ ...this.#checkpoint, open });
      this.#write({ kind: "round-open", policy, round: open.round, trial, deadlineInSeconds: deadlineSeconds });
    }
    this.#takes = true;
    this.#tell();
    await this.#collected(stop);
    this.#takes = false;
    await Promise.allSettled(this.#taking.values());
    const decision: RoundDecision = stop.aborted
      ? { kind: "skip", reason: String(stop.reason) }
      : decideRound(
          this.setup,
          this.course,
          [...this.#takenIn.values()].map(({ update }) => update),
        );
    await this.#parts.journal.flush();
    await (decision.kind === "skip" ? this.#skip(decision.reason) : this.#average(decision.plan));
    const { round } = this.course;
    log(decision.kind === "skip" ? "warn" : "info", `${policy}, round ${round}: ${this.#told(decision)}`);
    const reporters = [...this.#takenIn.keys()];
    this.#takenIn.clear();
    this.#memory.clear();
    this.#tell();
    if (decision.kind === "average") await this.#adoptedBy(reporters, round, stop);
    return decision;
  }

  /**
   * Takes a server's update in.
   *
   * The same update again is as good as the first: its sender may not have heard the answer.
   *
   * @param declaredDigest its `Content-Digest`
   * @throws Failure `update/stale`, `update/late`, `update/digest`, `update/shape`, `update/not-finite`, `wire/malformed`
   */
  async takeIn(node: string, round: number, bytes: Uint8Array, declaredDigest: string | undefined): Promise<void> {
    const where = `update of ${node} for round ${round}`;
    if (!this.setup.nodes.includes(node)) throw new Failure("peer/forbidden", `${where}: it is not federated here`);
    this.#requireOpen(round, where);
    checkDigest(bytes, declaredDigest, where);
    const { report, weights } = decodeUpdate(bytes, this.setup.shapes, where);
    const { policy } = this.setup;
    if (report.run !== this.#parts.run || report.policy !== policy || report.round !== round) {
      const whose = `${report.policy} in run ${report.run}`;
      throw new Failure("update/stale", `${where}: it is of round ${report.round} of ${whose}`);
    }
    await this.#taking.get(node)?.catch(() => undefined);
    this.#requireOpen(round, where);
    const digest = contentDigest(bytes);
    const before = this.#takenIn.get(node)?.update.digest;
    if (before === digest) return;
    if (before !== undefined) throw new Failure("update/stale", `${where}: another one is here already`);
    const taking = this.#take({ update: this.#updateOf(node, report, digest, bytes.length), weights }, bytes);
    this.#taking.set(node, taking);
    await taking.finally(() => this.#taking.delete(node));
  }

  /** Counts what was refused of a server. */
  refused(node: string, code: string, reason: string): void {
    this.#parts.journal.write({ kind: "refusal", policy: this.setup.policy, node, code, reason });
    this.#countRefusal(node, code);
  }

  /** What a server is told. */
  status(node: string): FederationStatus {
    const community = this.setup.nodes.indexOf(node);
    const { result } = this.course;
    const plan = result?.communities[community];
    const { run } = this.#parts;
    return {
      token: this.#token,
      federation: {
        run,
        shapes: this.setup.shapes,
        open: this.#takes ? this.#openFor() : null,
        result:
          result === null || plan === undefined
            ? null
            : {
                round: result.round,
                digest: result.digest,
                globalShare: plan.globalShare,
                proximalWeights: plan.proximalWeights,
                startsAnew: plan.startsAnew,
              },
      },
    };
  }

  /** Resolves when what servers are told is something else than a token says, or after a while. */
  async news(token: string, signal: AbortSignal): Promise<void> {
    if (token === this.#token) await once(this.#events, "change", { signal }).catch(() => undefined);
  }

  /** A server says which round it has taken over. */
  adopted(node: string, round: number): void {
    if (this.#adopted.get(node) === round) return;
    this.#adopted.set(node, round);
    this.#events.emit("adopted");
  }

  /** The file with a round's global model. @throws Failure `update/stale` unless it is the last one's */
  globalModel(round: number): string {
    if (this.course.result?.round === round)
      return join(this.#parts.folder, archiveFiles.globalModel(this.setup.policy, round));
    throw new Failure("update/stale", `round ${round} is not the last one with a global model`);
  }

  get #token(): string {
    return `${this.#parts.run}-${bootToken}-${this.#changes}`;
  }

  #openFor(): { round: number; deadlineInSeconds: number } | null {
    const { open } = this.#checkpoint;
    if (open === null) return null;
    return { round: open.round, deadlineInSeconds: Math.max(open.deadlineUnixSeconds - this.#parts.unixNow(), 0) };
  }

  #requireOpen(round: number, where: string): void {
    const { open, course } = this.#checkpoint;
    if (this.#takes && open?.round === round) return;
    if (round === course.round || round === open?.round) {
      throw new Failure("update/late", `${where}: the round was closed at its deadline`);
    }
    throw new Failure("update/stale", `${where}: ${open === null ? "no round" : `round ${open.round}`} is open`);
  }

  async #take(taken: TakenIn, bytes: Uint8Array): Promise<void> {
    const { update } = taken;
    const file = join(this.#parts.folder, archiveFiles.update(update.policy, update.round, update.node));
    await mkdir(dirname(file), { recursive: true });
    await writeDurably(file, bytes);
    this.#write({ kind: "update", ...update });
    await this.#parts.journal.flush();
    this.#takenIn.set(update.node, { update, weights: this.#memory.hold(taken.weights) });
    this.#events.emit("update");
  }

  /** Resolves when every server has sent its update, at the deadline, or at the stop. */
  async #collected(stop: AbortSignal): Promise<void> {
    const over = new AbortController();
    const { signal } = over;
    const all = async (): Promise<void> => {
      while (this.#takenIn.size < this.setup.nodes.length) await once(this.#events, "update", { signal });
    };
    const left = 1000 * (this.#openFor()?.deadlineInSeconds ?? 0);
    const stopped = stop.aborted ? Promise.resolve() : once(stop, "abort", { signal });
    await Promise.race([all(), sleep(left, undefined, { signal }), stopped].map((end) => end.catch(() => undefined)));
    over.abort();
  }

  async #adoptedBy(nodes: readonly string[], round: number, stop: AbortSignal): Promise<void> {
    const signal = timeLimit(adoptMilliseconds, stop);
    const missing = (): boolean => nodes.some((node) => (this.#adopted.get(node) ?? 0) < round);
    while (missing() && !signal.aborted) await once(this.#events, "adopted", { signal }).catch(() => undefined);
  }

  async #skip(reason: string): Promise<void> {
    const course = afterSkippedRound(this.course);
    await this.#end(course, { kind: "round-skipped", policy: this.setup.policy, round: course.round, reason });
  }

  async #average(plan: (RoundDecision & { kind: "average" })["plan"]): Promise<void> {
    const { round, participants, communities } = plan;
    const models = participants.map((community) => {
      const weights = this.#takenIn.get(this.setup.nodes[community] ?? "")?.weights ?? {};
      return { community, weights };
    });
    const bytes = encodeTensors(aggregate(models));
    const digest = contentDigest(bytes);
    await writeDurably(join(this.#parts.folder, archiveFiles.globalModel(this.setup.policy, round)), bytes);
    const { policy } = this.setup;
    const record: NewRecord = { kind: "round", policy, round, participants, communities, digest, bytes: bytes.length };
    await this.#end(afterRound(plan, digest), record);
  }

  async #end(course: FederationCourse, last: NewRecord): Promise<void> {
    await this.#keep({ run: this.#parts.run, course: asJournalled(course), open: null, last: asJournalled(last) });
    this.#write(last);
    await this.#parts.journal.flush();
  }

  async #keep(checkpoint: Checkpoint): Promise<void> {
    const file = join(this.#parts.folder, archiveFiles.federation(this.setup.policy));
    await writeDurably(file, `${JSON.stringify(checkpoint, null, 2)}\n`);
    this.#checkpoint = checkpoint;
  }

  #countRefusal(node: string, code: string): void {
    const counts = this.#refusals[node] ?? {};
    this.#refusals[node] = { ...counts, [code]: (counts[code] ?? 0) + 1 };
  }

  #write(record: NewRecord): void {
    this.#parts.journal.write(record);
    this.#records.push(record);
  }

  #updateOf(node: string, report: UpdateReport, digest: string, bytes: number): Update {
    const { policy, round, updates, meanAbsoluteReward, losses, diverged } = report;
    return asJournalled({ policy, round, node, digest, bytes, updates, meanAbsoluteReward, losses, diverged });
  }

  #tell(): void {
    this.#changes += 1;
    this.#events.emit("change");
  }

  #told(decision: RoundDecision): string {
    if (decision.kind === "skip") return `skipped: ${decision.reason}`;
    return `averaged ${decision.plan.participants.map((community) => this.setup.nodes[community]).join(", ")}`;
  }

  /** Completes the journal with what a C-BS before this one was killed in the midst of. */
  async #resume(): Promise<void> {
    const { folder, unixNow, journal } = this.#parts;
    await journal.flush();
    const written = await readJournal(join(folder, archiveFiles.journal("cbs")));
    for (const record of written) {
      if (!("policy" in record) || record.policy !== this.setup.policy) continue;
      if (record.kind === "refusal") this.#countRefusal(record.node, record.code);
      else if (record.kind.startsWith("round") || record.kind === "update") this.#records.push(record);
    }
    const isWritten = (record: NewRecord): boolean => written.some((each) => isSame(each, record));
    const complete = (record: NewRecord): void => {
      if (!isWritten(record)) this.#write(record);
    };
    complete({ kind: "federation", ...this.setup });
    const { last, open } = this.#checkpoint;
    if (last !== null) complete(last);
    if (open !== null) {
      const deadlineUnixSeconds = Math.max(open.deadlineUnixSeconds, unixNow() + graceSeconds);
      await this.#keep({ ...this.#checkpoint, open: { ...open, deadlineUnixSeconds } });
      const { round, trial } = open;
      const { policy } = this.setup;
      complete({ kind: "round-open", policy, round, trial, deadlineInSeconds: this.#parts.deadlineSeconds });
      for (const node of this.setup.nodes) {
        const bytes = await readFile(join(folder, archiveFiles.update(policy, round, node))).catch(() => undefined);
        if (bytes === undefined) continue;
        const { report, weights } = decodeUpdate(bytes, this.setup.shapes, `update of ${node}`);
        const update = this.#updateOf(node, report, contentDigest(bytes), bytes.length);
        complete({ kind: "update", ...update });
        this.#takenIn.set(node, { update, weights: this.#memory.hold(weights) });
      }
    }
    await journal.flush();
  }
}

/** Whether two records tell of the same event. */
const isSame = (a: NewRecord, b: NewRecord): boolean =>
  a.kind === b.kind &&
  ("policy" in a && "policy" in b ? a.policy === b.policy : true) &&
  ("round" in a && "round" in b ? a.round === b.round : true) &&
  ("node" in a && "node" in b ? a.node === b.node : true);

/** Tokens of a C-BS before this one are no one's any more. */
const bootToken = Math.round(performance.timeOrigin).toString(36);
