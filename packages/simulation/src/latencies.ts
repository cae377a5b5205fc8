import { type Seconds, seconds } from "@offloadlab/units";

/** What every task takes in a laboratory beyond the theory. Time only: its energy stays the theory's. */
export interface Latencies {
  /** From the sub-slot's start to that of an execution or upload: the decision has to be made and to arrive. */
  readonly start: Seconds;
  /** Beyond Eq. (4), until the processor is free again. */
  readonly local: Seconds;
  /** Beyond Eqs. (2) and (6), until the result is back and the radio free again. */
  readonly edge: Seconds;
}

export const noLatencies: Latencies = { start: seconds(0), local: seconds(0), edge: seconds(0) };
