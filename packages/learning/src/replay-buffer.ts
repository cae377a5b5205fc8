import type { RandomStream } from "@offloadlab/model";
import type { Rows } from "./network.ts";

/** Numbers of one row of a transition: s, a, r, s', and 1 where values of s' count, 0 after a terminal state. */
export const transitionWidth = ({ features, actions, values }: Rows): number => 2 * features + actions + values + 1;

/** What an environment made of an action; all but `terminated` row by row. */
export interface Transition {
  /** [rows, features] */
  readonly state: Float32Array;
  /** [rows, actions] */
  readonly action: Float32Array;
  /** [rows, values] */
  readonly reward: Float32Array;
  /** [rows, features] */
  readonly next: Float32Array;
  /** Nothing comes after `next`. A time limit is not that: a learner bootstraps from there. */
  readonly terminated: boolean;
}

/** G_i: the last transitions, as rows that a training graph reads as they lie. */
export class ReplayBuffer {
  readonly capacity: number;
  readonly #rows: Rows;
  readonly #width: number;
  #data: Float32Array;
  #pushed = 0;

  constructor(rows: Rows, capacity: number) {
    this.capacity = capacity;
    this.#rows = rows;
    this.#width = rows.rows * transitionWidth(rows);
    this.#data = new Float32Array(Math.min(capacity, 1024) * this.#width);
  }

  /** Transitions that can be drawn. */
  get length(): number {
    return Math.min(this.#pushed, this.capacity);
  }

  /**
   * Keeps a transition, in the place of the oldest when it is full.
   *
   * One with a number that is not finite is left out: a learner that has diverged acts with such numbers, and a single one
   * in a batch would make whatever it starts again from diverge too.
   */
  push({ state, action, reward, next, terminated }: Transition): void {
    if (![state, action, reward, next].every((numbers) => numbers.every(Number.isFinite))) return;
    const { rows, features, actions, values } = this.#rows;
    let at = (this.#pushed % this.capacity) * this.#width;
    if (at >= this.#data.length) this.#grow();
    this.#pushed++;
    for (let row = 0; row < rows; row++) {
      at = copy(state, row * features, features, this.#data, at);
      at = copy(action, row * actions, actions, this.#data, at);
      at = copy(reward, row * values, values, this.#data, at);
      at = copy(next, row * features, features, this.#data, at);
      this.#data[at++] = terminated ? 0 : 1;
    }
  }

  /**
   * Draws transitions with replacement.
   *
   * @param batch [size, rows, width], filled
   * @throws RangeError while it is empty
   */
  sample(random: RandomStream, size: number, batch: Float32Array): void {
    if (this.#pushed === 0) throw new RangeError("Expected transitions to draw from, got none");
    const width = this.#width;
    for (let i = 0; i < size; i++) {
      const at = random.integer(this.length) * width;
      batch.set(this.#data.subarray(at, at + width), i * width);
    }
  }

  /** Everything that it holds, for a checkpoint. */
  snapshot(): { readonly pushed: number; readonly data: Float32Array } {
    return { pushed: this.#pushed, data: this.#data.slice(0, this.length * this.#width) };
  }

  /** @throws RangeError when the numbers are not of so many transitions */
  restore({ pushed, data }: { readonly pushed: number; readonly data: Float32Array }): void {
    const size = Math.min(pushed, this.capacity) * this.#width;
    if (data.length !== size) throw new RangeError(`Expected ${size} numbers of a buffer, got ${data.length}`);
    this.#pushed = pushed;
    this.#data = new Float32Array(Math.max(data.length, Math.min(this.capacity, 1024) * this.#width));
    this.#data.set(data);
  }

  #grow(): void {
    const data = new Float32Array(Math.min(2 * this.#data.length, this.capacity * this.#width));
    data.set(this.#data);
    this.#data = data;
  }
}

const copy = (from: Float32Array, start: number, count: number, to: Float32Array, at: number): number => {
  for (let i = 0; i < count; i++) to[at + i] = from[start + i] as number;
  return at + count;
};
