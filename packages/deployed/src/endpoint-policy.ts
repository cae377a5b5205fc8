import { type Action, communityAt, emptyAction, emptyObservation, type Observation } from "@offloadlab/model";
import { type FallbackReason, fair, keepConstraints, type OpenPolicy, type Policy } from "@offloadlab/policies";
import { count, type Seconds, seconds } from "@offloadlab/units";
import { errors, Pool } from "undici";
import { AnswerTally } from "./answer-tally.ts";
import { observationMessage, readDecisions } from "./endpoint-messages.ts";
import type { Place } from "./model-policy.ts";
import { NoAnswer } from "./no-answer.ts";
import { PolicyProblem } from "./problem.ts";

/** How long an endpoint may take, unless whoever opens it says otherwise. */
export const usualTimeout = seconds(1);

/** Far more than the decisions of a thousand devices. */
const mostBytes = 1_000_000;

/**
 * A policy that answers over HTTP: it is sent an observation by POST and answers decisions, both in JSON.
 *
 * A sub-slot without a usable answer in time is decided by Fair, and counted. What an answer gives away beyond what is
 * left of B and F is scaled down, and counted as well.
 *
 * @param timeout of each exchange
 * @throws PolicyProblem when it does not answer a first question
 */
export const endpointPolicy = async (
  url: string,
  place: Place,
  timeout: Seconds = usualTimeout,
): Promise<OpenPolicy> => {
  const policy = new EndpointPolicy(parsed(url), place, timeout);
  try {
    await policy.probe();
  } catch (error) {
    await policy.close();
    throw error;
  }
  return policy;
};

const parsed = (url: string): URL => {
  try {
    return new URL(url);
  } catch (error) {
    throw new PolicyProblem(`expected an address as http://host:port/path, got ${url}`, { cause: error });
  }
};

class EndpointPolicy implements OpenPolicy {
  readonly name: string;
  readonly answers = new AnswerTally();
  readonly #url: URL;
  readonly #pool: Pool;
  readonly #place: Place;
  readonly #timeout: Seconds;
  readonly #fallback: Policy;

  constructor(url: URL, place: Place, timeout: Seconds) {
    this.name = url.href;
    this.#url = url;
    this.#place = place;
    this.#timeout = timeout;
    this.#pool = new Pool(url.origin, { connections: 1, pipelining: 1, connect: { timeout: timeout * 1000 } });
    this.#fallback = fair(place.settings, place.communityIndex, place.devices);
  }

  async decide(observation: Observation, action: Action, within: Seconds = this.#timeout): Promise<void> {
    this.answers.asked++;
    try {
      const body = await this.#exchange(observation, within);
      const problem = readDecisions(body, observation.deviceCount, action);
      if (problem !== undefined) throw new NoAnswer("malformed", problem);
      if (keepConstraints(observation, action)) this.answers.adjusted++;
    } catch (error) {
      const { reason, message } = noAnswerOf(error);
      this.answers.fellBack(reason, message);
      this.#fallback.decide(observation, action);
    }
  }

  /** Asks it once about a community without tasks. @throws PolicyProblem without a usable answer */
  async probe(): Promise<void> {
    const idle = emptyObservation(count(this.#place.devices.length));
    await this.decide(idle, emptyAction(idle.deviceCount));
    const problem = this.answers.firstProblem;
    if (problem !== undefined) throw new PolicyProblem(`${this.name} cannot decide: ${problem}`);
    this.answers.asked = 0;
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }

  async #exchange(observation: Observation, within: Seconds): Promise<string> {
    const { settings, communityIndex, devices } = this.#place;
    const community = communityAt(settings, communityIndex);
    const { statusCode, body } = await this.#pool.request({
      path: `${this.#url.pathname}${this.#url.search}`,
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(observationMessage(settings, community, devices, observation)),
      // Whole milliseconds, as timers have them.
      signal: AbortSignal.timeout(Math.max(0, Math.floor(within * 1000))),
    });
    if (statusCode !== 200) {
      await body.dump();
      throw new NoAnswer("refused", `expected status 200, got ${statusCode}`);
    }
    const pieces: Buffer[] = [];
    let size = 0;
    for await (const piece of body as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > mostBytes)
        throw new NoAnswer("malformed", `expected at most ${mostBytes} bytes of decisions, got more`);
      pieces.push(piece);
    }
    return Buffer.concat(pieces).toString("utf8");
  }
}

const noAnswerOf = (error: unknown): { readonly reason: FallbackReason; readonly message: string } => {
  if (error instanceof NoAnswer) return error;
  const { name, message } = error as Error;
  const isLate = name === "TimeoutError" || error instanceof errors.ConnectTimeoutError;
  if (!isLate && !(error instanceof errors.UndiciError) && !("code" in (error as Error))) throw error;
  return isLate ? { reason: "late", message: "no answer in time" } : { reason: "unreachable", message };
};
