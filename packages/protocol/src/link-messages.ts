import { type Static, type TProperties, Type } from "typebox";
import { parseJson, readerOf } from "./schema.ts";

/** The version of everything that crosses the network between daemons. */
export const protocolVersion = 2;

/** The files of a run that a node keeps and ships to the C-BS byte by byte. */
export const runFiles = ["journal", "log"] as const;
export type RunFile = (typeof runFiles)[number];
const runFile = Type.Union([Type.Literal("journal"), Type.Literal("log")]);

const text = Type.String({ minLength: 1 });
const index = Type.Integer({ minimum: 0 });
const amount = Type.Number({ minimum: 0 });
const closed = { additionalProperties: false };
const message = <K extends string, P extends TProperties>(type: K, properties: P) =>
  Type.Object({ type: Type.Literal(type), ...properties }, closed);

/** What an ED tells the C-BS with each heartbeat; for the dashboard, never for a decision. */
export const DeviceTelemetry = Type.Object(
  {
    /** The trial that the rest is about; null before the first. */
    trial: Type.Union([Type.Null(), index]),
    chargeJoules: amount,
    capacityJoules: amount,
    queueLength: index,
    processorBusy: Type.Boolean(),
    radioBusy: Type.Boolean(),
    generated: index,
    outcomes: Type.Record(Type.String(), index),
    reward: Type.Number(),
  },
  closed,
);
export type DeviceTelemetry = Static<typeof DeviceTelemetry>;

/** What a MEC tells the C-BS with each heartbeat. */
export const ServerTelemetry = Type.Object(
  {
    bandwidthInUseRatio: amount,
    computeInUseRatio: amount,
    tasksInFlight: index,
    /** What the uploads of each device say of its link. */
    links: Type.Record(
      Type.String(),
      Type.Object(
        {
          /** Effective rate over Eq. (1)'s. */
          rateRatio: amount,
          /** Half width of its 95 % interval. */
          uncertaintyRatio: Type.Union([Type.Null(), amount]),
          uploads: index,
        },
        closed,
      ),
    ),
  },
  closed,
);
export type ServerTelemetry = Static<typeof ServerTelemetry>;

const toStation = Type.Union([
  message("hello", {
    version: Type.Integer(),
    node: text,
    role: Type.Union([Type.Literal("mec"), Type.Literal("ed")]),
    boot: text,
    hardware: Type.Union([Type.Literal("emulated"), Type.Literal("linux")]),
    environment: Type.Record(Type.String(), Type.Unknown()),
  }),
  message("telemetry", { device: Type.Optional(DeviceTelemetry), server: Type.Optional(ServerTelemetry) }),
  message("append", { run: text, file: runFile, offset: index, text: Type.String() }),
  message("prepared", { run: text, trial: index }),
  message("finished", { run: text, trial: index, journalBytes: index }),
  message("failed", { run: text, trial: index, reason: text }),
  message("closed", { run: text, journalBytes: index, logBytes: index }),
]);
/** From a node to the C-BS. */
export type ToStation = Static<typeof toStation>;

/** How a learned policy goes on learning. */
const LearningOrder = Type.Object(
  {
    explore: Type.Boolean(),
    engine: Type.Union([Type.Literal("onnx"), Type.Literal("tfjs")]),
  },
  closed,
);
export type LearningOrder = Static<typeof LearningOrder>;

const toNode = Type.Union([
  message("welcome", { heartbeatSeconds: amount }),
  message("open", { run: text, journalBytes: index, logBytes: index }),
  message("have", { run: text, file: runFile, offset: index }),
  message("prepare", {
    run: text,
    trial: index,
    policy: text,
    seed: index,
    deviceSeed: index,
    clockSpeed: Type.Number({ exclusiveMinimum: 0 }),
    settings: Type.Unknown(),
    link: Type.Union([Type.Literal("theoretical"), Type.Literal("corrected")]),
    uplinkRateRatios: Type.Record(Type.String(), Type.Number({ exclusiveMinimum: 0 })),
    /** Of a policy that is learned: the SHA-256 of its agents' file, `GET /api/v1/runs/<run>/policies/<policy>`. */
    agents: Type.Union([Type.Null(), Type.String({ pattern: "^[0-9a-f]{64}$" })]),
    /** Of a policy that goes on learning. */
    learning: Type.Union([Type.Null(), LearningOrder]),
    /** Trials of the policy that came to their end in this run: what a learner is to go on from. */
    epochsBefore: index,
  }),
  message("start", { run: text, trial: index, startsAtUnixSeconds: amount }),
  message("abort", { run: text, reason: text }),
  message("close", { run: text }),
]);
/** From the C-BS to a node. */
export type ToNode = Static<typeof toNode>;

const readToStation = readerOf(toStation);
const readToNode = readerOf(toNode);

/** @throws Failure `wire/malformed` */
export const parseToStation = (frame: string): ToStation =>
  readToStation(parseJson(frame, "message to the C-BS"), "message to the C-BS");

/** @throws Failure `wire/malformed` */
export const parseToNode = (frame: string): ToNode =>
  readToNode(parseJson(frame, "message to a node"), "message to a node");
