import { setTimeout as sleep } from "node:timers/promises";
import { areFinite, mixWeights } from "@offloadlab/federation";
import { type AgentWeights, encodeTensors, type Losses, type Proximal } from "@offloadlab/learning";
import {
  checkDigest,
  clientTls,
  decodeUpdate,
  decodeWeights,
  encodeUpdate,
  Failure,
  type FederationStatus,
  federationPath,
  messageOf,
  parseJson,
  readFederationStatus,
  type TlsMaterial,
  timeLimit,
} from "@offloadlab/protocol";
import { contentDigest, type NewRecord } from "@offloadlab/records";
import { Client } from "undici";
import { type Adopted, FederationMemory, type PendingUpdate } from "./federation-memory.ts";
import { nextFederationStep } from "./federation-step.ts";

/** What a federation needs of the learner on this server. */
export interface Learner {
  /** Weights now; mean un-penalised losses by network, updates and mean |reward| since the last report before an `adopt`. */
  report(): Promise<LearnerReport>;
  /**
   * Mixed weights and the proximal term for the next updates; what was reported last is counted no more.
   *
   * @param startsAnew whether targets and moments begin again from these weights too
   */
  adopt(weights: AgentWeights, proximal: Proximal | undefined, startsAnew: boolean): Promise<void>;
  /** The proximal term of a round that it has adopted in a process before this one. */
  pull(proximal: Proximal): Promise<void>;
}

export interface LearnerReport {
  readonly weights: AgentWeights;
  readonly losses: Losses;
  readonly updates: number;
  readonly meanAbsoluteReward: number;
}

export interface FederationClientOptions {
  readonly run: string;
  readonly policy: string;
  /** `https://host:port` of the C-BS. */
  readonly stationUrl: string;
  readonly tls: TlsMaterial;
  /** Of this run and policy, for what must survive the process. */
  readonly folder: string;
  readonly learner: Learner;
  /** The last round that the learner had taken over when it was last saved; 0 of a new one. */
  readonly learnedRound: number;
  readonly write: (record: NewRecord) => void;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
}

/** The C-BS answers a question for news within ten seconds. */
const newsMilliseconds = 20_000;
const answerMilliseconds = 10_000;
const firstPauseMilliseconds = 50;
const longestPauseMilliseconds = 2_000;

/**
 * A server's part of Algorithms 1 and 2: sends its learner's weights when a round is open, mixes the global model in when
 * there is one.
 *
 * It only asks, and holds nothing that a restart loses: a server or a C-BS that is killed at any moment goes on with the
 * same round or the next.
 */
export class FederationClient {
  readonly #options: FederationClientOptions;
  readonly #memory: FederationMemory;
  readonly #client: Client;
  readonly #closed = new AbortController();
  #adopted = 0;
  #reported = 0;

  constructor(options: FederationClientOptions) {
    this.#options = options;
    this.#memory = new FederationMemory(options.folder);
    this.#client = new Client(options.stationUrl, {
      connect: { ...clientTls(options.tls, "cbs"), timeout: 5_000 },
      headersTimeout: newsMilliseconds,
      bodyTimeout: answerMilliseconds,
    });
  }

  /** The last round whose result the learner has taken over. */
  get round(): number {
    return this.#adopted;
  }

  /** Takes part until it is closed. */
  async run(): Promise<void> {
    await this.#recall();
    let token = "";
    let pause = firstPauseMilliseconds;
    while (!this.#closed.signal.aborted) {
      try {
        const status = await this.#ask(token);
        const { federation } = status;
        const step = federation?.run === this.#options.run ? nextFederationStep(federation, this.#rounds) : undefined;
        if (step?.kind === "adopt" && federation !== null) await this.#adopt(step.result, federation.shapes);
        else if (step?.kind === "report" && federation !== null) await this.#report(step.round, federation.shapes);
        // Only news are waited for when there is nothing to do.
        token = step === undefined || step.kind === "wait" ? status.token : "";
        pause = firstPauseMilliseconds;
      } catch (error) {
        if (this.#closed.signal.aborted) return;
        if (!(error instanceof Failure)) throw error;
        this.#options.log("warn", `federation: ${error.message}`);
        token = "";
        await sleep(pause * (0.5 + Math.random()), undefined, { signal: this.#closed.signal }).catch(() => undefined);
        pause = Math.min(2 * pause, longestPauseMilliseconds);
      }
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#client.destroy();
  }

  get #rounds() {
    return { adopted: this.#adopted, reported: this.#reported };
  }

  /** After a restart, the learner is where its last round left it, or where it was saved after that. */
  async #recall(): Promise<void> {
    const adopted = await this.#memory.adopted();
    const { run, learner, learnedRound, log } = this.#options;
    if (adopted === undefined || adopted.run !== run) return;
    if (learnedRound >= adopted.round) await learner.pull(adopted.proximal);
    else {
      // It was saved before the round, which has had all that it had learned.
      await learner.report();
      await this.#takeOver(adopted);
    }
    this.#adopted = adopted.round;
    log("info", `federation: goes on after round ${adopted.round}`);
  }

  /** Alg. 2, line 5: the learner's weights and losses to the C-BS. */
  async #report(round: number, shapes: Readonly<Record<string, number>>): Promise<void> {
    const report = await this.#options.learner.report();
    // The same bytes as before a restart: the C-BS may have them already.
    const { bytes } = (await this.#memory.update(round)) ?? (await this.#makeUpdate(round, shapes, report));
    const { status, text } = await this.#send("PUT", `/${round}/update`, bytes);
    if (status >= 500) throw new Failure("peer/slow", `round ${round}: ${text}`);
    this.#reported = round;
    const { log } = this.#options;
    if (status === 200) log("info", `federation: round ${round}: ${bytes.length} bytes sent`);
    else log("warn", `federation: round ${round}: refused (${status}): ${text}`);
  }

  async #makeUpdate(
    round: number,
    shapes: Readonly<Record<string, number>>,
    { weights, losses, updates, meanAbsoluteReward }: LearnerReport,
  ): Promise<PendingUpdate> {
    const { run, policy } = this.#options;
    const diverged = !areFinite(weights);
    const report = {
      ...{ run, policy, round, updates, diverged },
      meanAbsoluteReward: Number.isFinite(meanAbsoluteReward) ? meanAbsoluteReward : 0,
      losses: Object.fromEntries(Object.keys(shapes).map((name) => [name, finiteOrNull(losses[name] ?? 0)])),
    };
    const update = { round, bytes: encodeUpdate({ report, weights: diverged ? {} : weights }) };
    await this.#memory.keepUpdate(update);
    return update;
  }

  /** Alg. 1, lines 4 to 6: θ_f to this server, and what this server makes of it. */
  async #adopt(
    result: NonNullable<NonNullable<FederationStatus["federation"]>["result"]>,
    shapes: Readonly<Record<string, number>>,
  ): Promise<void> {
    const { round, digest, proximalWeights } = result;
    const where = `global model of round ${round}`;
    const { status, text, bytes } = await this.#send("GET", `/${round}/global`);
    if (status !== 200) throw new Failure("peer/slow", `${where}: ${text}`);
    checkDigest(bytes, digest, where);
    const global = decodeWeights(bytes, shapes, where);
    // A round that a process before this one reported for, or none: all so far is before it.
    if (this.#reported < round) await this.#options.learner.report();
    const local = await this.#localOf(round, shapes);
    // No mixture would make weights finite that are not.
    const hasDiverged = !areFinite(local);
    const globalShare = hasDiverged ? 1 : result.globalShare;
    const weights = mixWeights(local, global, globalShare);
    const adopted: Adopted = {
      ...{ run: this.#options.run, round, digest, globalShare, weights },
      localDigest: contentDigest(encodeTensors(local)),
      proximal: { lambdas: proximalWeights, weights: global },
      startsAnew: result.startsAnew || hasDiverged,
    };
    await this.#memory.keepAdopted(adopted);
    await this.#takeOver(adopted);
    this.#options.log("info", `federation: round ${round} taken over`);
  }

  /**
   * What a round's global model is mixed with: the weights that were sent for it, so that the mixture follows from what the
   * C-BS has; those of now when none were sent.
   */
  async #localOf(round: number, shapes: Readonly<Record<string, number>>): Promise<AgentWeights> {
    const sent = await this.#memory.update(round);
    if (sent !== undefined) {
      const { report, weights } = decodeUpdate(sent.bytes, shapes, `update of round ${round}`);
      if (!report.diverged) return weights;
    }
    return (await this.#options.learner.report()).weights;
  }

  async #takeOver(adopted: Adopted): Promise<void> {
    const { round, digest, localDigest, globalShare, weights, proximal, startsAnew } = adopted;
    const { learner, policy, write } = this.#options;
    await learner.adopt(weights, proximal, startsAnew);
    this.#adopted = round;
    const weightsDigest = contentDigest(encodeTensors(weights));
    const proximalWeights = proximal.lambdas;
    write({ kind: "adopted", policy, round, digest, weightsDigest, localDigest, globalShare, proximalWeights });
  }

  async #ask(token: string): Promise<FederationStatus> {
    const query = new URLSearchParams({ token, adopted: String(this.#adopted) });
    const { status, text } = await this.#send("GET", `?${query}`);
    if (status !== 200) throw new Failure("peer/refused", `${federationPath}: expected 200, got ${status}: ${text}`);
    return readFederationStatus(parseJson(text, federationPath), federationPath);
  }

  async #send(method: "GET" | "PUT", path: string, body?: Uint8Array) {
    const headers: Record<string, string> =
      body === undefined ? {} : { "content-type": "application/octet-stream", "content-digest": contentDigest(body) };
    const whole = `${federationPath}/${this.#options.policy}${path}`;
    try {
      const signal = timeLimit(newsMilliseconds, this.#closed.signal);
      const answer = await this.#client.request({ method, path: whole, headers, body: body ?? null, signal });
      const bytes = new Uint8Array(await answer.body.arrayBuffer());
      // Only what is not a model is read as a text.
      const text = answer.headers["content-digest"] === undefined ? Buffer.from(bytes).toString("utf8") : "";
      return { status: answer.statusCode, bytes, text };
    } catch (error) {
      throw new Failure("peer/unreachable", `${whole}: ${messageOf(error)}`, { cause: error });
    }
  }
}

const finiteOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);
