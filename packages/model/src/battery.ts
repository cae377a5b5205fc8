import { type Joules, joules, type Seconds } from "@offloadlab/units";

/** b(t+1) after a harvest and a drain, within [0, b_max]: what Eqs. (8) to (13) have in common. */
export const nextCharge = (charge: Joules, harvested: Joules, drain: Joules, capacity: Joules): Joules =>
  joules(Math.min(Math.max(charge + harvested - drain, 0), capacity));

/** The part of a drain that the battery really paid: an empty battery pays no more. */
export const paidDrain = (charge: Joules, harvested: Joules, drain: Joules): Joules =>
  joules(Math.min(drain, charge + harvested));

/** The part of a harvest that the battery really took: a full battery takes no more. */
export const storedHarvest = (charge: Joules, harvested: Joules, drain: Joules, capacity: Joules): Joules =>
  joules(Math.min(harvested, capacity - charge + paidDrain(charge, harvested, drain)));

/**
 * Charge after a sub-slot in which the device only harvests.
 *
 * Eq. (8): b(t+1) = min(b(t) + e_t, b_max)
 */
export const chargeWhenIdle = (charge: Joules, harvested: Joules, capacity: Joules): Joules =>
  nextCharge(charge, harvested, joules(0), capacity);

/**
 * Charge after a task is completed on the device.
 *
 * Eq. (9): b(t+1) = min{max{b(t) + e_t − E^l, 0}, b_max}
 */
export const chargeAfterLocalSuccess = (
  charge: Joules,
  harvested: Joules,
  localEnergy: Joules,
  capacity: Joules,
): Joules => nextCharge(charge, harvested, localEnergy, capacity);

/**
 * Charge after a task fails on the device.
 *
 * Eq. (10): b(t+1) = min{max{b(t) + e_t − E^l, 0}, b_max}
 *
 * The same as after a success, as printed: a started task runs to its end and costs all of its energy.
 *
 * Differs: "fails" means that C2 or C3 is broken. The text tests T^l alone against T_d, where C2 tests the whole delay.
 */
export const chargeAfterLocalFailure = (
  charge: Joules,
  harvested: Joules,
  localEnergy: Joules,
  capacity: Joules,
): Joules => nextCharge(charge, harvested, localEnergy, capacity);

/**
 * Charge after a task is completed on the server.
 *
 * Eq. (11): b(t+1) = min{max{b(t) + e_t − E^tr − E^m, 0}, b_max}
 */
export const chargeAfterEdgeSuccess = (
  charge: Joules,
  harvested: Joules,
  uploadEnergy: Joules,
  edgeEnergy: Joules,
  capacity: Joules,
): Joules => nextCharge(charge, harvested, joules(uploadEnergy + edgeEnergy), capacity);

/** Energy that an upload takes in its first `elapsed`: all of it once it has ended. */
export const uploadDrain = (uploadEnergy: Joules, uploadDelay: Seconds, elapsed: Seconds): Joules =>
  joules(elapsedShare(elapsed, uploadDelay) * uploadEnergy);

/**
 * Charge after a task fails while it is uploaded.
 *
 * Eq. (12): b(t+1) = min{max{b(t) + e_t − (h/T) / T^tr · E^tr, 0}, b_max}
 *
 * Differs: h/T divides an index by a count where a duration is meant: we take the sub-slot's length. The fraction is at
 * most 1, for an upload shorter than the sub-slot costs E^tr and no more. "Fails" means that C2 or C3 is broken.
 *
 * @param subSlot time that the upload lasted before it was given up
 */
export const chargeAfterUploadFailure = (
  charge: Joules,
  harvested: Joules,
  uploadEnergy: Joules,
  uploadDelay: Seconds,
  subSlot: Seconds,
  capacity: Joules,
): Joules => nextCharge(charge, harvested, uploadDrain(uploadEnergy, uploadDelay, subSlot), capacity);

/** Energy that an offloaded task takes in its first `elapsed`, upload first. */
export const edgeDrain = (
  uploadEnergy: Joules,
  uploadDelay: Seconds,
  edgeEnergy: Joules,
  edgeDelay: Seconds,
  elapsed: Seconds,
): Joules =>
  joules(
    elapsedShare(elapsed, uploadDelay) * uploadEnergy + elapsedShare(elapsed - uploadDelay, edgeDelay) * edgeEnergy,
  );

/**
 * Charge after a task fails while the server executes it.
 *
 * Eq. (13): b(t+1) = min{max{b(t) + e_t − E^tr − (h/T − T^tr) / T^m · E^tr, 0}, b_max}
 *
 * Differs: the last factor is E^m, not E^tr, for it pays for the part of T^m that was executed, as Eq. (11) pays for the
 * whole. h/T is the sub-slot's length, as after a failed upload; the fraction stays in [0, 1], where the printed one turns
 * negative, and so charges the battery, when the sub-slot is shorter than the upload. "Fails" means that C2 or C3 is broken.
 *
 * @param subSlot time from the start of the upload until the task was given up
 */
export const chargeAfterEdgeFailure = (
  charge: Joules,
  harvested: Joules,
  uploadEnergy: Joules,
  uploadDelay: Seconds,
  edgeEnergy: Joules,
  edgeDelay: Seconds,
  subSlot: Seconds,
  capacity: Joules,
): Joules =>
  nextCharge(charge, harvested, edgeDrain(uploadEnergy, uploadDelay, edgeEnergy, edgeDelay, subSlot), capacity);

/** Share of a duration that has passed, [0, 1]; a duration of 0 has passed from its start on. */
const elapsedShare = (elapsed: number, duration: Seconds): number => {
  if (elapsed < 0) return 0;
  return elapsed >= duration ? 1 : elapsed / duration;
};
