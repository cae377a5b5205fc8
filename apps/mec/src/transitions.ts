import type { Rows, Transition } from "@offloadlab/learning";
import type { AgentTranslator } from "@offloadlab/simulation";
import type { Decided } from "./community-trial.ts";

/** A decision whose tasks have not all ended, or whose next state has not been seen. */
interface Open {
  readonly subSlot: number;
  readonly state: Float32Array;
  readonly action: Float32Array;
  /** [n] sums of Eq. (19) by device */
  readonly rewards: Float64Array;
  /** Tasks that this decision has begun, as far as anyone knows; each with its device. */
  readonly pending: Map<string, number>;
  next: Float32Array | undefined;
}

/**
 * Makes transitions of an epoch's decisions, and of what comes of them later.
 *
 * A decision is paid for the tasks that it began when they have ended, however they ended, and for tasks that expired
 * before the next decision. Its transition waits for all of them: rows of devices are learned from together. Learned from
 * is what the simulator learns from: the decisions on the epoch's sub-slots, while tasks arrive.
 */
export class Transitions {
  readonly #translator: AgentTranslator;
  readonly #deviceCount: number;
  readonly #subSlotCount: number;
  readonly #onComplete: (transition: Transition) => void;
  readonly #open = new Map<number, Open>();
  #complete = 0;
  #discarded = 0;

  /** @param onComplete is given each transition once, its arrays for keeps */
  constructor(
    translator: AgentTranslator,
    deviceCount: number,
    subSlotCount: number,
    onComplete: (transition: Transition) => void,
  ) {
    this.#translator = translator;
    this.#deviceCount = deviceCount;
    this.#subSlotCount = subSlotCount;
    this.#onComplete = onComplete;
  }

  get complete(): number {
    return this.#complete;
  }

  /** Decisions that nothing can be learned from: a report was missing, or what came next. */
  get discarded(): number {
    return this.#discarded;
  }

  /**
   * A decision has been made.
   *
   * @param state [rows, features] what the agent saw, copied
   * @param action [rows, actions] what it did, copied
   */
  decided({ subSlot, isComplete, heads, begins }: Decided, state: Float32Array, action: Float32Array): void {
    for (const before of this.#open.values()) {
      if (before.next !== undefined) continue;
      if (before.subSlot === subSlot - 1 && isComplete) this.#follow(before, heads, state);
      else this.#discard(before);
    }
    if (subSlot >= this.#subSlotCount) return;
    if (!isComplete) {
      this.#discarded += 1;
      return;
    }
    const pending = new Map<string, number>();
    for (const [device, head] of heads.entries()) if (head !== null && begins[device]) pending.set(head, device);
    const rewards = new Float64Array(this.#deviceCount);
    this.#open.set(subSlot, {
      subSlot,
      state: state.slice(),
      action: action.slice(),
      rewards,
      pending,
      next: undefined,
    });
  }

  /** A task has ended. @param subSlot whose decision it was, or before whose next one it expired */
  ended(device: number, task: string, subSlot: number, reward: number): void {
    const paid = this.#open.get(subSlot);
    if (paid !== undefined) paid.rewards[device] = (paid.rewards[device] as number) + reward;
    for (const open of this.#open.values()) {
      if (!open.pending.delete(task)) continue;
      this.#settle(open);
    }
  }

  /** The epoch is over: what is still open will not be completed. */
  end(): void {
    for (const open of this.#open.values()) this.#discard(open);
  }

  /** What comes after a decision is known; a task that is still at the head of its line has not begun. */
  #follow(open: Open, heads: readonly (string | null)[], state: Float32Array): void {
    open.next = state.slice();
    for (const head of heads) if (head !== null) open.pending.delete(head);
    this.#settle(open);
  }

  #settle(open: Open): void {
    const { subSlot, state, action, rewards, pending, next } = open;
    if (next === undefined || pending.size > 0) return;
    this.#open.delete(subSlot);
    const { rows, values }: Rows = this.#translator.shape;
    const reward = new Float32Array(rows * values);
    this.#translator.earn(rewards, reward);
    this.#complete += 1;
    this.#onComplete({ state, action, reward, next, terminated: false });
  }

  #discard({ subSlot }: Open): void {
    this.#open.delete(subSlot);
    this.#discarded += 1;
  }
}
