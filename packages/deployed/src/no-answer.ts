import type { FallbackReason } from "@offloadlab/policies";

/** Why a policy from outside gave no usable answer, so that Fair decides. */
export class NoAnswer extends RangeError {
  readonly reason: FallbackReason;
  constructor(reason: FallbackReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
