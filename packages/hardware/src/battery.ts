import { nextCharge, paidDrain, storedHarvest } from "@offloadlab/model";
import { type Joules, joules } from "@offloadlab/units";

/** The ledger of one sub-slot: drain and harvest in separate columns. */
export interface LedgerEntry {
  readonly charge: Joules;
  /** Negative when more was given back than was spent. */
  readonly drained: Joules;
  readonly harvested: Joules;
}

/**
 * A battery with wireless power transfer, emulated: what tasks spend in a sub-slot is booked against what is harvested in
 * it, as all of Eqs. (8) to (13) have it: b(t+1) = min{max{b(t) + e_t − drain, 0}, b_max}.
 *
 * Differs: the drain is what the device books, not a case per outcome, for two lanes spend at the same time. A task's
 * energy is booked when it starts, all of it: E^l, or E^tr + E^m as its lease has them. When an offloaded task ends, it is
 * corrected to E^tr + E^m as measured, in that sub-slot. A late task pays the same as one in time: Eqs. (12) and (13)
 * take a part, but a late task here was uploaded and executed whole. A task whose server or result vanished pays the
 * part of E^tr that has passed and no E^m.
 */
export class EmulatedBattery {
  readonly capacity: Joules;
  readonly #harvested: Joules;
  #charge: Joules;
  #spent = 0;
  #emptied = false;

  /** @param harvested e_t, per sub-slot */
  constructor(capacity: Joules, harvested: Joules) {
    this.capacity = capacity;
    this.#harvested = harvested;
    this.#charge = capacity;
  }

  /** b: what is left after what this sub-slot's tasks have spent so far. */
  get charge(): Joules {
    if (this.#emptied) return joules(0);
    return joules(Math.min(Math.max(this.#charge - this.#spent, 0), this.capacity));
  }

  /** Books energy that a task takes; a negative amount gives back what was booked too much. */
  spend(energy: Joules): void {
    this.#spent += energy;
  }

  /**
   * A task asked for more than there was: nothing is left in this sub-slot (§III-C).
   *
   * What the other lane gives back after that was never drained, so it is not lost, but it counts only when the sub-slot
   * ends, with the harvest.
   */
  empty(): void {
    this.#emptied = true;
    this.#spent = Math.max(this.#spent, this.#charge);
  }

  /**
   * Ends the sub-slot: harvest and drain meet.
   *
   * @param harvested e_t of this sub-slot, when it is not the same in all
   */
  endSubSlot(harvested: Joules = this.#harvested): LedgerEntry {
    // A refund beyond what this sub-slot has spent is of an earlier one: it goes back to the charge, a negative drain.
    const refund = Math.max(-this.#spent, 0);
    const start = joules(Math.min(this.#charge + refund, this.capacity));
    const drain = joules(Math.max(this.#spent, 0));
    const charge = nextCharge(start, harvested, drain, this.capacity);
    const entry = {
      charge,
      drained: joules(paidDrain(start, harvested, drain) - (start - this.#charge)),
      harvested: storedHarvest(start, harvested, drain, this.capacity),
    };
    this.#charge = charge;
    this.#spent = 0;
    this.#emptied = false;
    return entry;
  }
}
