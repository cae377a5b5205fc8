/** What cut an attempt at a trial short. */
export interface Interruption {
  /** `lost`: a node; `failed`: a node that is there; `stopped`: an operator, or the C-BS ends. */
  readonly kind: "lost" | "failed" | "stopped";
  readonly reason: string;
}

/** How a run goes on after an interruption. */
export type NextStep = { readonly kind: "repeat" } | { readonly kind: "end"; readonly reason: string };

/** A trial that fails so often in a row will fail again. */
const mostAttempts = 10;

/**
 * What becomes of a run whose trial was cut short: a lost node comes back, and the trial is repeated; what failed on nodes
 * that are there would fail again.
 *
 * @param attempts at this trial so far
 * @param tooMany why the run is invalid for the trials that it has abandoned; null while it is not
 * @param learns whether policies learn in it: that goes on where a comparison has nothing more to give
 */
export const afterInterruption = (
  { kind, reason }: Interruption,
  attempts: number,
  tooMany: string | null,
  learns: boolean,
): NextStep => {
  if (kind !== "lost") return { kind: "end", reason };
  if (attempts >= mostAttempts)
    return { kind: "end", reason: `${attempts} attempts at one trial failed; the last: ${reason}` };
  if (tooMany !== null && !learns) return { kind: "end", reason: `${tooMany}; the last: ${reason}` };
  return { kind: "repeat" };
};
