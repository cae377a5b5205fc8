import type { AgentWeights, Proximal, Transition } from "@offloadlab/learning";
import { type LearnerRequest, type LearnerSnapshot, nothingSince } from "./learner-messages.ts";

/** The id of a request whose answer nobody waits for. */
const nobody = -1;

/**
 * What is known of a learner outside of its process, for the next one to go on from when it dies: its last snapshot, what it
 * was given to remember since then, and the weights of its last update.
 *
 * Optimizers' moments, targets and sums of losses since that snapshot are not known, nor are updates that were due.
 */
export class LearnerMemory {
  #saved: LearnerSnapshot | undefined;
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
    // A round has had what the snapshot was to report.
    if (this.#saved !== undefined) this.#saved = { ...this.#saved, since: nothingSince };
  }

  pulled(proximal: Proximal): void {
    this.#proximal = proximal;
  }

  /** @param included how many of the transitions are in it */
  saved(snapshot: LearnerSnapshot, included: number): void {
    this.#saved = snapshot;
    this.#since = this.#since.slice(included);
    this.#beganAnew = false;
  }

  restored(snapshot: LearnerSnapshot): void {
    this.saved(snapshot, this.size);
    this.#weights = undefined;
  }

  /** What a new process is told, in this order. */
  requests(): LearnerRequest[] {
    const requests: LearnerRequest[] = [];
    if (this.#saved !== undefined) requests.push({ kind: "restore", id: nobody, snapshot: this.#saved });
    if (this.#epoch !== undefined) requests.push({ kind: "begin-epoch", epoch: this.#epoch });
    for (const transition of this.#since) requests.push({ kind: "learn", transition, updates: 0 });
    if (this.#weights === undefined) {
      if (this.#proximal !== undefined) requests.push({ kind: "pull", id: nobody, proximal: this.#proximal });
    } else {
      const adopted = { weights: this.#weights, proximal: this.#proximal, startsAnew: this.#beganAnew };
      requests.push({ kind: "adopt", id: nobody, ...adopted });
    }
    return requests;
  }
}
