import { createHash } from "node:crypto";
import {
  isAddress,
  openPolicy,
  openShipped,
  PolicyProblem,
  type ShippedModels,
  shippedModels,
} from "@offloadlab/deployed";
import type { CarriedOn } from "@offloadlab/hardware/carrier";
import { devicesOf } from "@offloadlab/model";
import type { OpenPolicy } from "@offloadlab/policies";
import { Failure, type TrialOrder } from "@offloadlab/protocol";
import { answersBetween, answersSoFar, type Journal } from "@offloadlab/records";
import type { TrialPolicy } from "./community-trial.ts";
import { modelsBeside } from "./model-runner.ts";

export interface OutsideOptions {
  readonly communityIndex: number;
  /** Where ONNX Runtime runs. */
  readonly runtimeOn: CarriedOn;
  /** Fetches the file of a policy's models. */
  readonly fetch: (run: string, policy: string) => Promise<Uint8Array>;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
}

/**
 * The policies from outside of a run: models that came with it, and endpoints.
 *
 * They are opened in their first trial, where one that cannot decide ends the run, and kept open from then on: an endpoint
 * that is gone in a later trial is a matter of that trial's fallbacks.
 */
export class OutsidePolicies {
  readonly #options: OutsideOptions;
  readonly #open = new Map<string, OpenPolicy>();
  #run = "";

  constructor(options: OutsideOptions) {
    this.#options = options;
  }

  /**
   * The policy of a trial.
   *
   * @throws Failure `config/invalid` when it cannot decide, `peer/unreachable` or `wire/malformed` when its models do not come
   */
  async policyOf(order: TrialOrder, journal: Journal): Promise<TrialPolicy> {
    if (order.run !== this.#run) await this.close();
    this.#run = order.run;
    const { trial, policy: name } = order;
    const policy = this.#open.get(name) ?? (await this.#opened(order));
    this.#open.set(name, policy);
    const before = answersSoFar(policy.answers);
    const finish = async (): Promise<void> => {
      const { firstProblem, ...counts } = answersBetween(before, policy.answers);
      const problem = firstProblem === undefined ? {} : { firstProblem };
      journal.write({ kind: "answers", trial, policy: name, ...counts, ...problem });
    };
    return { policy, finish };
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    for (const policy of all) await policy.close();
  }

  async #opened(order: TrialOrder): Promise<OpenPolicy> {
    const { policy: name, settings, deviceSeed } = order;
    const { communityIndex, runtimeOn, log } = this.#options;
    const devices = devicesOf(settings, communityIndex, deviceSeed);
    const onDeath = (how: string): void => log("warn", `${how}; Fair decides until another one has started`);
    try {
      return isAddress(name)
        ? await openPolicy(name, settings, communityIndex, devices)
        : await openShipped(
            name,
            await this.#models(order),
            settings,
            communityIndex,
            devices,
            modelsBeside(runtimeOn, onDeath),
          );
    } catch (error) {
      if (!(error instanceof PolicyProblem)) throw error;
      throw new Failure("config/invalid", error.message, { cause: error });
    }
  }

  async #models({ run, policy, agents }: TrialOrder): Promise<ShippedModels> {
    const bytes = await this.#options.fetch(run, policy);
    if (createHash("sha256").update(bytes).digest("hex") !== agents) {
      throw new Failure("wire/malformed", `the models of ${policy} are not the ones that were ordered; run it again`);
    }
    return shippedModels(bytes);
  }
}
