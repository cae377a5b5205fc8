import type { AgentSnapshot } from "./agent.ts";
import { adamCorrection, adamDefaults } from "./graph/adam.ts";
import type { Values } from "./graph/program.ts";
import { correctionNames, partNames } from "./trained.ts";

/** The networks of an agent while it learns, by name: between two updates, they are what the next one is fed. */
export class TrainedNetworks {
  readonly #names: readonly string[];
  readonly #arrays: Record<string, Float32Array> = {};
  /** Steps of Adam that each network has taken. */
  readonly #steps: Record<string, number> = {};

  /** Alg. 1, line 1: targets begin as their networks. @param weights of each network, flat, copied */
  constructor(weights: Values) {
    this.#names = Object.keys(weights);
    for (const [name, values] of Object.entries(weights)) {
      const { first, second, target } = partNames(name);
      this.#steps[name] = 0;
      this.#arrays[name] = values.slice();
      this.#arrays[first] = new Float32Array(values.length);
      this.#arrays[second] = new Float32Array(values.length);
      this.#arrays[target] = values.slice();
    }
  }

  /** A network's weights as they are now; neither a copy nor for change. */
  weightsOf(name: string): Float32Array {
    return this.#arrays[name] as Float32Array;
  }

  /** Updates of a network so far. */
  stepsOf(name: string): number {
    return this.#steps[name] as number;
  }

  /**
   * Replaces weights, all or none; targets and moments stay.
   *
   * @param weights of each network, copied
   * @throws RangeError when they are of other networks
   */
  replaceWeights(weights: Readonly<Record<string, Float32Array | undefined>>): void {
    const replaced = this.#names.map(
      (name) => [name, sized(name, weights[name], this.weightsOf(name).length).slice()] as const,
    );
    Object.assign(this.#arrays, Object.fromEntries(replaced));
  }

  /** Begins anew from its weights: targets equal them, and moments and counts of updates are 0. */
  startAnew(): void {
    for (const name of this.#names) {
      const { first, second, target } = partNames(name);
      const weights = this.weightsOf(name);
      this.#steps[name] = 0;
      this.#arrays[first] = new Float32Array(weights.length);
      this.#arrays[second] = new Float32Array(weights.length);
      this.#arrays[target] = weights.slice();
    }
  }

  /** What the next update starts from. @param rateShare which part of their learning rate the networks learn with */
  feeds(rateShare = 1): Values {
    const corrections = this.#names.flatMap((name) => {
      const [first, second] = adamCorrection(this.stepsOf(name) + 1, { ...adamDefaults, learningRate: 0 });
      const names = correctionNames(name);
      return [
        [names.first, Float32Array.of(first * rateShare)],
        [names.second, Float32Array.of(second)],
      ];
    });
    return { ...this.#arrays, ...Object.fromEntries(corrections) };
  }

  /** Keeps what an update has made; what it left out stays. */
  take(results: Values): void {
    for (const name of Object.keys(this.#arrays)) {
      const next = results[`${name}Next`];
      if (next === undefined) continue;
      this.#arrays[name] = next;
      if (name in this.#steps) this.#steps[name] = this.stepsOf(name) + 1;
    }
  }

  snapshot(): AgentSnapshot {
    const arrays = Object.entries(this.#arrays).map(([name, values]) => [name, values.slice()]);
    const counts = this.#names.map((name) => [`${name}Steps`, this.stepsOf(name)]);
    return { arrays: Object.fromEntries(arrays), counts: Object.fromEntries(counts) };
  }

  /** @throws RangeError when the snapshot is of other networks */
  restore({ arrays, counts }: AgentSnapshot): void {
    const restored = Object.entries(this.#arrays).map(
      ([name, { length }]) => [name, sized(name, arrays[name], length).slice()] as const,
    );
    Object.assign(this.#arrays, Object.fromEntries(restored));
    for (const name of this.#names) this.#steps[name] = counts[`${name}Steps`] ?? 0;
  }
}

/** @throws RangeError when an array is missing or has another length */
export const sized = (name: string, values: Float32Array | undefined, size: number): Float32Array => {
  if (values?.length === size) return values;
  throw new RangeError(`Expected ${size} numbers of \`${name}\`, got ${values?.length ?? "none"}`);
};
