import { type Static, Type } from "typebox";
import { readerOf } from "./schema.ts";

const closed = { additionalProperties: false };
const text = Type.String({ minLength: 1, maxLength: 200 });
const round = Type.Integer({ minimum: 1 });
const count = Type.Integer({ minimum: 0 });
const amount = Type.Number({ minimum: 0 });
const digest = Type.String({ pattern: "^sha-256=:[A-Za-z0-9+/]{43}=:$" });

/** Where rounds are told and answered: `GET .../:policy`, `PUT .../:policy/:round/update`, `GET .../:policy/:round/global`. */
export const federationPath = "/api/v1/federation";

/** What a MEC says of its learner, in the metadata of the safetensors with its weights. */
export const UpdateReport = Type.Object(
  {
    run: text,
    policy: text,
    round,
    /** Updates since the last round that this learner took over. */
    updates: count,
    meanAbsoluteReward: amount,
    /** Mean un-penalised losses by network; null for one that is not finite. */
    losses: Type.Record(Type.String({ minLength: 1, maxLength: 100 }), Type.Union([Type.Null(), Type.Number()])),
    /** Whether its weights are not finite; then it sends none, and starts again from the global model. */
    diverged: Type.Boolean(),
  },
  closed,
);
export type UpdateReport = Static<typeof UpdateReport>;

/** What a MEC is told of the federation of a policy. */
export const FederationStatus = Type.Object(
  {
    /** Changes whenever the rest does; a MEC that sends it back is answered when there is news. */
    token: text,
    federation: Type.Union([
      Type.Null(),
      Type.Object(
        {
          run: text,
          /** Float32 numbers of each network. */
          shapes: Type.Record(Type.String(), Type.Integer({ minimum: 1 })),
          /** The round that takes updates now. */
          open: Type.Union([Type.Null(), Type.Object({ round, deadlineInSeconds: amount }, closed)]),
          /** The last round with a global model, and what this MEC makes of it. */
          result: Type.Union([
            Type.Null(),
            Type.Object(
              {
                round,
                digest,
                globalShare: Type.Number({ minimum: 0, maximum: 1 }),
                proximalWeights: Type.Record(Type.String(), amount),
                /** Whether its learner's targets and moments begin anew. */
                startsAnew: Type.Boolean(),
              },
              closed,
            ),
          ]),
        },
        closed,
      ),
    ]),
  },
  closed,
);
export type FederationStatus = Static<typeof FederationStatus>;

export const readFederationStatus = readerOf(FederationStatus);
export const readUpdateReport = readerOf(UpdateReport);
