/** What can go wrong between machines, files and devices. The code is stable; README lists every one. */
export type FailureCode =
  | "config/invalid"
  | "wire/malformed"
  | "wire/version"
  | "wire/too-large"
  | "peer/unreachable"
  | "peer/slow"
  | "peer/forbidden"
  | "peer/refused"
  | "update/stale"
  | "update/late"
  | "update/digest"
  | "update/shape"
  | "update/not-finite"
  | "image/unreadable"
  | "classifier/unloadable"
  | "sensor/absent"
  | "sensor/unreadable"
  | "sensor/implausible"
  | "archive/damaged"
  | "trial/failed";

/**
 * An error that a user can act on: the message says what, where, expected, got and what to do.
 *
 * Outcomes of tasks are values, never failures; a broken invariant is a `RangeError` and ends the process.
 */
export class Failure extends Error {
  readonly code: FailureCode;
  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Failure";
    this.code = code;
  }
}

/** The message of anything thrown, for a log line or an answer to a peer. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
