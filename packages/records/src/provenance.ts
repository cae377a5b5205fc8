/** Where the numbers of a table or figure come from. No time: the same sweep gives the same bytes on any day. */
export interface Provenance {
  /** Name of the sweep. */
  readonly sweep: string;
  /** Of the code that simulated it. */
  readonly commit: string;
  readonly seed: number;
  /** Trials of all policies and loop values together. */
  readonly trials: number;
}

/** One line, whatever the sweep is called: `sweep bandwidth, commit 1a2b3c4, seed 1, 240 trials`. */
export const provenanceLine = ({ sweep, commit, seed, trials }: Provenance): string =>
  `sweep ${sweep}, commit ${commit}, seed ${seed}, ${trials} ${trials === 1 ? "trial" : "trials"}`.replace(/\s+/g, " ");
