import { outcomes } from "@offloadlab/model";
import { type Static, Type } from "typebox";
import { readerOf } from "./schema.ts";

const closed = { additionalProperties: false };
const text = Type.String({ minLength: 1, maxLength: 200 });
const index = Type.Integer({ minimum: 0 });
const amount = Type.Number({ minimum: 0 });

/** How a task ended on its device: what Eq. (19) pays for, as measured. */
export const EndedTask = Type.Object(
  {
    id: text,
    /** Whose decision it was; of an expired task the sub-slot before its end, -1 before the first. */
    subSlot: Type.Integer({ minimum: -1 }),
    outcome: Type.Enum([...outcomes]),
    delaySeconds: amount,
    /** Above the idle power, as metered: below zero where a short task took less than the meter's noise. */
    energyJoules: Type.Number(),
  },
  closed,
);
export type EndedTask = Static<typeof EndedTask>;

/**
 * What an ED sends its MEC at the start of each sub-slot: its state and, when there is one, its head-of-line task.
 * `POST /api/v1/offload-requests`.
 */
export const OffloadRequest = Type.Object(
  {
    run: text,
    trial: index,
    subSlot: index,
    chargeJoules: amount,
    queueLength: index,
    processorBusy: Type.Boolean(),
    radioBusy: Type.Boolean(),
    /** No further task will come from this device in this trial, and none is in flight. */
    last: Type.Boolean(),
    /** Tasks that have ended since the last report that was answered. */
    ended: Type.Array(EndedTask, { maxItems: 1000 }),
    task: Type.Union([
      Type.Null(),
      Type.Object(
        {
          id: text,
          dataBytes: Type.Integer({ minimum: 1, maximum: 1e9 }),
          workCycles: Type.Number({ exclusiveMinimum: 0, maximum: 1e15 }),
          ageSeconds: amount,
        },
        closed,
      ),
    ]),
  },
  closed,
);
export type OffloadRequest = Static<typeof OffloadRequest>;

/** The right to upload one task with these shares, and what the theory says it will take. */
export const Lease = Type.Object(
  {
    id: text,
    task: text,
    bandwidthShare: Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
    computeShare: Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
    rateBitsPerSecond: Type.Number({ exclusiveMinimum: 0 }),
    theoreticalUploadSeconds: amount,
    theoreticalExecutionSeconds: amount,
    expiresInSeconds: amount,
  },
  closed,
);
export type Lease = Static<typeof Lease>;

/** The answer: a lease, `local`, or `wait` for the next sub-slot. A refusal is an answer, not an error. */
export const OffloadAnswer = Type.Union([
  Type.Object({ decision: Type.Literal("edge"), lease: Lease }, closed),
  Type.Object({ decision: Type.Literal("local") }, closed),
  Type.Object({ decision: Type.Literal("wait") }, closed),
]);
export type OffloadAnswer = Static<typeof OffloadAnswer>;

/** What a MEC reports with the label of a leased task, in the `parameters` of the inference response. */
export const Service = Type.Object(
  {
    task_id: text,
    lease_id: text,
    upload_seconds: amount,
    theoretical_upload_seconds: amount,
    queue_seconds: amount,
    execution_seconds: amount,
    compute_share: amount,
    achieved_compute_share: amount,
  },
  { additionalProperties: true },
);
export type Service = Static<typeof Service>;

export const readOffloadRequest = readerOf(OffloadRequest);
export const readOffloadAnswer = readerOf(OffloadAnswer);
export const readService = readerOf(Service);
