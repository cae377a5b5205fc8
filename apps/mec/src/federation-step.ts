import type { FederationStatus } from "@offloadlab/protocol";

/** Rounds that a server is done with. */
export interface RoundsDone {
  /** The last one whose result it has taken over. */
  readonly adopted: number;
  /** The last one that it has sent its update for, or was refused. */
  readonly reported: number;
}

type Federation = NonNullable<FederationStatus["federation"]>;

/** What a server does next. */
export type FederationStep =
  | { readonly kind: "adopt"; readonly result: NonNullable<Federation["result"]> }
  | { readonly kind: "report"; readonly round: number }
  | { readonly kind: "wait" };

/**
 * What is next for a server that is told this.
 *
 * Results go first: a server that was away takes the last one over before it reports again.
 */
export const nextFederationStep = (
  { open, result }: Pick<Federation, "open" | "result">,
  { adopted, reported }: RoundsDone,
): FederationStep => {
  if (result !== null && result.round > adopted) return { kind: "adopt", result };
  if (open !== null && open.round > reported) return { kind: "report", round: open.round };
  return { kind: "wait" };
};
