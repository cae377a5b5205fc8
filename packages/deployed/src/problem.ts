/** A policy that cannot be used, with what is wrong and what to do. */
export class PolicyProblem extends RangeError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "PolicyProblem";
  }
}
