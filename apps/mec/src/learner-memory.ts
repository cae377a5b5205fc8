import type { AgentSnapshot, AgentWeights, Proximal, Transition } from "@offloadlab/learning";
import type { LearnerRequest } from "./learner-messages.ts";

/** The id of a request whose answer nobody waits for. */
const nobody = -1;

/**
 * What is known of a learner outside of its process, for the next one to go on from when it dies: its last snapshot, what it
 * was given to remember since then, and the weights of its last update.
 *
 * Optimizers' moments, targets and sums of losses since that snapshot are not known, nor are updates that were due.
 */
export class LearnerMemory {
  #saved: AgentSnapshot | undefined;
  #since: Transition[] = [];
  #weights: AgentWeights | undefined;
  #proximal: Proximal | undefined;
  /** Whether what it has learned since the snapshot began anew: then the snapshot's targets and moments are of no use. */
  #beganAnew = false;
  #epoch: number | undefined;

  /** How many transitions a snapshot that is asked for now will include. */
  get size(): number {
    return this.#since.length;
  }

  beganEpoch(epoch: number): void {
    this.#epoch = epoch;
  }

  /** @param transition kept as it is */
  given(transition: Transition): void {
    this.#since.push(transition);
  }

  learned(weights: AgentWeights): void {
    this.#weights = weights;
  }

  adopted(weights: AgentWeights, proximal: Proximal | undefined, startsAnew: boolean): void {
    this.#weights = weights;
    this.#proximal = proximal;
    this.#beganAnew ||= startsAnew;
  }

  /** @param included how many of the transitions are in it */
  saved(snapshot: AgentSnapshot, included: number): void {
    this.#saved = snapshot;
    this.#since = this.#since.slice(included);
    this.#beganAnew = false;
  }

  restored(snapshot: AgentSnapshot): void {
    this.saved(snapshot, this.size);
    this.#weights = undefined;
  }

  /** What a new process is told, in this order. */
  requests(): LearnerRequest[] {
    const requests: LearnerRequest[] = [];
    if (this.#saved !== undefined) requests.push({ kind: "restore", id: nobody, snapshot: this.#saved });
    if (this.#epoch !== undefined) requests.push({ kind: "begin-epoch", epoch: this.#epoch });
    for (const transition of this.#since) requests.push({ kind: "learn", transition, updates: 0 });
    if (this.#weights !== undefined) {
      const adopted = { weights: this.#weights, proximal: this.#proximal, startsAnew: this.#beganAnew };
      requests.push({ kind: "adopt", id: nobody, ...adopted });
    }
    return requests;
  }
}
