import { nextCharge, paidDrain, storedHarvest } from "@offloadlab/model";
import { type Joules, joules } from "@offloadlab/units";

/** The ledger of one sub-slot: drain and harvest in separate columns. */
export interface LedgerEntry {
  readonly charge: Joules;
  readonly drained: Joules;
  readonly harvested: Joules;
}

/** Energy of one task. Every joule says where it came from. */
export interface EnergyReading {
  readonly joules: Joules;
  /** Half the width of the 95 % interval. */
  readonly uncertainty: Joules;
  /** Share of the task's window that was observed, [0, 1]. */
  readonly coverage: number;
  readonly method: "emulated";
}

/** A reading that follows the model: exact, over the whole window, and labelled. */
export const emulatedReading = (energy: Joules): EnergyReading => ({
  joules: energy,
  uncertainty: joules(0),
  coverage: 1,
  method: "emulated",
});

/**
 * The battery and the wireless power transfer of Eqs. (8) to (13), emulated: what tasks spend in a sub-slot is booked
 * against what was harvested in it.
 */
export class EmulatedBattery {
  readonly capacity: Joules;
  readonly #harvested: Joules;
  #charge: Joules;
  #spent = 0;

  /** @param harvested e_t, per sub-slot */
  constructor(capacity: Joules, harvested: Joules) {
    this.capacity = capacity;
    this.#harvested = harvested;
    this.#charge = capacity;
  }

  /** b: what is left after what this sub-slot's tasks have spent so far. */
  get charge(): Joules {
    return joules(Math.min(Math.max(this.#charge - this.#spent, 0), this.capacity));
  }

  /** Books energy that a task takes; a negative amount gives back what was booked too much. */
  spend(energy: Joules): void {
    this.#spent += energy;
  }

  /** A task asked for more than there was: nothing is left in this sub-slot (§III-C). */
  empty(): void {
    this.#spent = Math.max(this.#spent, this.#charge);
  }

  /** Ends the sub-slot: harvest and drain meet. */
  endSubSlot(): LedgerEntry {
    // A refund larger than the sub-slot's drain is harvest's twin, not a negative drain: it goes back to the charge.
    const refund = Math.max(-this.#spent, 0);
    const start = joules(Math.min(this.#charge + refund, this.capacity));
    const drain = joules(Math.max(this.#spent, 0));
    const charge = nextCharge(start, this.#harvested, drain, this.capacity);
    const entry = {
      charge,
      drained: joules(paidDrain(start, this.#harvested, drain) - (start - this.#charge)),
      harvested: storedHarvest(start, this.#harvested, drain, this.capacity),
    };
    this.#charge = charge;
    this.#spent = 0;
    return entry;
  }
}
