import { createHash } from "node:crypto";
import { type Actor, ActorForward, actorOf, decodeRows, type ReadModel, readModel } from "@offloadlab/learning";
import {
  type Action,
  type CommunitySettings,
  communityAt,
  type Device,
  emptyAction,
  emptyObservation,
  type Observation,
  type Settings,
} from "@offloadlab/model";
import { fair, type OpenPolicy, type Policy } from "@offloadlab/policies";
import { count, type Seconds } from "@offloadlab/units";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { AnswerTally } from "./answer-tally.ts";
import type { PolicyCard } from "./card.ts";
import { layoutWidth, writeColumns } from "./columns.ts";
import { NoAnswer } from "./no-answer.ts";
import { PolicyProblem } from "./problem.ts";

// Read when the runtime loads: no telemetry leaves this machine.
Object.assign(process.env, { ORT_DISABLE_TELEMETRY: "1" });

/** A community that a policy is opened for. */
export interface Place {
  readonly settings: Settings;
  readonly communityIndex: number;
  /** [n] in the order of the observation's entries */
  readonly devices: readonly Device[];
}

/** What a model answers to features: [rows, actions], at once or later. */
export interface ModelRunner {
  /**
   * @param features unchanged only until this returns
   * @param within how long it may take; one that runs where it is asked knows no limit
   * @throws NoAnswer with the reason that is counted; of any other error that is `refused`
   */
  answer(features: Float32Array, within?: Seconds): Float32Array | Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * Opens a model that somebody else has made.
 *
 * @param n devices of its community
 * @param file its name, for the problems
 * @throws PolicyProblem when it cannot be loaded
 */
export type OpenModel = (bytes: Uint8Array, card: PolicyCard, n: number, file: string) => Promise<ModelRunner>;

/**
 * A policy that is an ONNX model with its card.
 *
 * A model that `offload train` has written decides at once, in plain JavaScript; any other is run by ONNX Runtime.
 *
 * @param file the model's name, for the problems
 * @param open where ONNX Runtime runs; here, unless whoever asks must not be blocked by it
 * @throws PolicyProblem when the model and its card, or the card and the community, do not fit
 */
export const modelPolicy = async (
  bytes: Uint8Array,
  card: PolicyCard,
  place: Place,
  file: string,
  open: OpenModel = RuntimeModel.open,
): Promise<OpenPolicy> => {
  const n = place.devices.length;
  const community = communityAt(place.settings, place.communityIndex);
  const digest = createHash("sha256").update(bytes).digest("hex");
  if (digest !== card.sha256) {
    throw new PolicyProblem(
      `${file}: its card is of another model (expected sha256 ${card.sha256}, got ${digest}): export both again`,
    );
  }
  if (card.deviceCount !== undefined && card.deviceCount !== n) {
    throw new PolicyProblem(
      `${file} decides for ${card.deviceCount} devices, ${community.name} has ${n}: train with ${n}, or a set network`,
    );
  }
  const model = readable(bytes, file);
  checkModel(model, card, n, file);
  const actor = actorOf(bytes, model);
  const runner = actor === undefined ? await open(bytes, card, n, file) : ownModel(actor, card, n);
  const policy = new ModelPolicy(card, runner, place, community, actor === undefined);
  await policy.probe(file);
  return policy;
};

const readable = (bytes: Uint8Array, file: string): ReadModel => {
  try {
    return readModel(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new PolicyProblem(`${file} is no ONNX model: ${error.message}`, { cause: error });
  }
};

/** @throws PolicyProblem when the model's interface is not its card's, or a weight is no number */
const checkModel = ({ inputs, outputs, constants }: ReadModel, card: PolicyCard, n: number, file: string): void => {
  const width = layoutWidth(card.observation, n);
  const rows = card.observation.networks === "set" ? n : 1;
  const [input, ...others] = inputs;
  if (input?.name !== card.input || others.length > 0 || !input.isFloat) {
    throw new PolicyProblem(
      `${file}: expected one input of float32, \`${card.input}\`, got ${inputs.map(({ name }) => name).join(", ") || "none"}`,
    );
  }
  const [gotRows, gotWidth] = input.shape;
  const fits = (got: number | string | undefined, wanted: number): boolean => typeof got !== "number" || got === wanted;
  if (input.shape.length !== 2 || !fits(gotRows, rows) || !fits(gotWidth, width)) {
    throw new PolicyProblem(
      `${file}: expected an input of [${rows}, ${width}] as its card has it for ${n} devices, got [${input.shape.join(", ")}]`,
    );
  }
  if (!outputs.some(({ name }) => name === card.output)) {
    throw new PolicyProblem(
      `${file}: expected an output \`${card.output}\`, got ${outputs.map(({ name }) => name).join(", ")}`,
    );
  }
  for (const { name, data } of constants) {
    const at = data.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) throw new PolicyProblem(`${file}: expected finite weights, got ${data[at]} in \`${name}\``);
  }
};

const ownModel = (actor: Actor, { observation: { networks } }: PolicyCard, n: number): ModelRunner => {
  const forward = new ActorForward(actor, networks === "set" ? n : 1);
  const action = new Float32Array(3 * n);
  return {
    answer(features) {
      forward.act(features, action);
      return action;
    },
    async close() {},
  };
};

/** A model that somebody else has made, run where it is asked: a run blocks its thread. */
export class RuntimeModel implements ModelRunner {
  readonly #session: InferenceSession;
  readonly #Tensor: typeof Tensor;
  readonly #card: PolicyCard;
  readonly #rows: number;

  private constructor(session: InferenceSession, tensor: typeof Tensor, card: PolicyCard, rows: number) {
    this.#session = session;
    this.#Tensor = tensor;
    this.#card = card;
    this.#rows = rows;
  }

  static async open(bytes: Uint8Array, card: PolicyCard, n: number, file: string): Promise<RuntimeModel> {
    const { InferenceSession, Tensor } = await import("onnxruntime-node");
    const session = await InferenceSession.create(bytes, {
      executionProviders: ["cpu"],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    }).catch((error: unknown) => {
      throw new PolicyProblem(`${file}: ONNX Runtime cannot load it: ${(error as Error).message}`, { cause: error });
    });
    return new RuntimeModel(session, Tensor, card, card.observation.networks === "set" ? n : 1);
  }

  async answer(features: Float32Array): Promise<Float32Array> {
    const { input, output } = this.#card;
    const tensor = new this.#Tensor("float32", features, [this.#rows, features.length / this.#rows]);
    const results = await this.#session.run({ [input]: tensor }, [output]);
    const data = results[output]?.data;
    if (!(data instanceof Float32Array)) throw new RangeError(`Expected \`${output}\` in float32, got another type`);
    return data;
  }

  close(): Promise<void> {
    return this.#session.release();
  }
}

class ModelPolicy implements OpenPolicy {
  readonly name: string;
  readonly answers = new AnswerTally();
  readonly #card: PolicyCard;
  readonly #runner: ModelRunner;
  readonly #place: Place;
  readonly #community: CommunitySettings;
  readonly #fallback: Policy;
  readonly #features: Float32Array;
  readonly #columns: Float32Array;
  /** A foreign model may answer anything; ours answers within its range. */
  readonly #isForeign: boolean;

  constructor(card: PolicyCard, runner: ModelRunner, place: Place, community: CommunitySettings, isForeign: boolean) {
    const n = place.devices.length;
    const rows = card.observation.networks === "set" ? n : 1;
    this.name = card.name;
    this.#card = card;
    this.#runner = runner;
    this.#place = place;
    this.#community = community;
    this.#isForeign = isForeign;
    this.#fallback = fair(place.settings, place.communityIndex, place.devices);
    this.#features = new Float32Array(rows * layoutWidth(card.observation, n));
    this.#columns = new Float32Array(3 * n);
  }

  decide(observation: Observation, action: Action, within?: Seconds): void | Promise<void> {
    this.answers.asked++;
    writeColumns(
      this.#card.observation,
      observation,
      this.#community,
      this.#place.devices,
      this.#place.settings.deadline,
      this.#features,
    );
    const answer = this.#runner.answer(this.#features, within);
    if (!(answer instanceof Promise)) {
      this.#take(answer, observation, action);
      return;
    }
    return answer.then(
      (raw) => this.#take(raw, observation, action),
      (error: unknown) => {
        this.answers.fellBack(error instanceof NoAnswer ? error.reason : "refused", (error as Error).message);
        this.#fallback.decide(observation, action);
      },
    );
  }

  close(): Promise<void> {
    return this.#runner.close();
  }

  /** Asks it once about a community without tasks. @throws PolicyProblem when the answer cannot be used */
  async probe(file: string): Promise<void> {
    const idle = emptyObservation(count(this.#place.devices.length));
    await this.decide(idle, emptyAction(idle.deviceCount));
    const problem = this.answers.firstProblem;
    if (problem !== undefined) throw new PolicyProblem(`${file}: it cannot decide: ${problem}`);
    this.answers.asked = 0;
    this.answers.adjusted = 0;
  }

  /** Fills the action; by the fallback when an entry is no number. */
  #take(raw: Float32Array, observation: Observation, action: Action): void {
    const { answers } = this;
    const size = 3 * observation.deviceCount;
    if (raw.length !== size || !raw.every(Number.isFinite)) {
      answers.fellBack("malformed", `expected ${size} finite numbers in \`${this.#card.output}\`, got ${shown(raw)}`);
      this.#fallback.decide(observation, action);
      return;
    }
    if (this.#isForeign && clip(raw)) answers.adjusted++;
    // α is 0 or 1 by its sign, and the tasks that go share no more than is left: C1, C4 and C5.
    decodeRows(this.#card.observation.networks, raw, this.#columns, observation, action);
  }
}

/** Brings numbers into [−1, 1], in place. @returns whether any was outside */
const clip = (raw: Float32Array): boolean => {
  let changed = false;
  for (let i = 0; i < raw.length; i++) {
    const value = raw[i] as number;
    if (Math.abs(value) <= 1) continue;
    raw[i] = Math.sign(value);
    changed = true;
  }
  return changed;
};

const shown = (raw: Float32Array): string =>
  raw.find((value) => !Number.isFinite(value))?.toString() ?? `${raw.length}`;
