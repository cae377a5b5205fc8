import { type Seconds, seconds } from "@offloadlab/units";

/** Deadlines that T^tr + T^m of a lease's shares may come to. */
const mostDeadlines = 4;

/**
 * Whether shares are worth a lease.
 *
 * Differs: in the model any share starts a task, however long it takes; in a laboratory a trial waits for its last lease.
 *
 * @param theory T^tr + T^m of the shares
 * @param deadline T_d
 */
export const isWorthALease = (theory: Seconds, deadline: Seconds): boolean => theory <= mostDeadlines * deadline;

/**
 * How long a lease holds its shares: twice what the theory says, as a link of half the rate makes a task late and not lost,
 * and a deadline of grace. After that the task has failed, and its shares are others'.
 *
 * @param theory T^tr + T^m of the shares
 * @param deadline T_d
 */
export const leaseTime = (theory: Seconds, deadline: Seconds): Seconds => seconds(2 * theory + deadline);

/** How long a lease lasts at the most. */
export const longestLease = (deadline: Seconds): Seconds => leaseTime(seconds(mostDeadlines * deadline), deadline);
