import fc from "fast-check";
import { expect, it } from "vitest";
import { Failure } from "./failure.ts";
import { parseToNode, parseToStation, type ToNode, type ToStation } from "./link-messages.ts";
import { readOffloadAnswer, readOffloadRequest } from "./offload-messages.ts";

const index = fc.nat();
const amount = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const text = fc.string({ minLength: 1 });
const file = fc.constantFrom("journal" as const, "log" as const);
const type = <K extends string>(name: K) => fc.constant(name);

const toNode: fc.Arbitrary<ToNode> = fc.oneof(
  fc.record({ type: type("welcome"), heartbeatSeconds: amount }),
  fc.record({ type: type("open"), run: text, journalBytes: index, logBytes: index }),
  fc.record({ type: type("have"), run: text, file, offset: index }),
  fc.record({ type: type("start"), run: text, trial: index, startsAtUnixSeconds: amount }),
  fc.record({ type: type("abort"), run: text, reason: text }),
  fc.record({ type: type("close"), run: text }),
);
const toStation: fc.Arbitrary<ToStation> = fc.oneof(
  fc.record({ type: type("append"), run: text, file, offset: index, text: fc.string({ unit: "grapheme" }) }),
  fc.record({ type: type("prepared"), run: text, trial: index }),
  fc.record({ type: type("finished"), run: text, trial: index, journalBytes: index }),
  fc.record({ type: type("failed"), run: text, trial: index, reason: text }),
  fc.record({ type: type("closed"), run: text, journalBytes: index, logBytes: index }),
  fc.record({
    type: type("telemetry"),
    server: fc.record({
      bandwidthInUseRatio: amount,
      computeInUseRatio: amount,
      tasksInFlight: index,
      links: fc.dictionary(
        text.filter((name) => name !== "__proto__"),
        fc.record({ rateRatio: amount, uncertaintyRatio: fc.option(amount), uploads: index }),
      ),
    }),
  }),
);

const parsers = { parseToNode, parseToStation };

it("what is written is what is read, in both directions", () => {
  fc.assert(
    fc.property(toNode, (message) => {
      expect(parseToNode(JSON.stringify(message))).toEqual(message);
    }),
  );
  fc.assert(
    fc.property(toStation, (message) => {
      expect(parseToStation(JSON.stringify(message))).toEqual(message);
    }),
  );
});

it.each(Object.entries(parsers))("%s refuses noise with a malformed Failure and nothing else", (_, parse) => {
  const frames = fc.oneof(
    fc.string(),
    fc.json(),
    fc.jsonValue().map((value) => JSON.stringify({ type: "open", run: "r", journalBytes: value })),
    fc.jsonValue().map((value) => JSON.stringify({ type: value })),
  );
  fc.assert(
    fc.property(frames, (frame) => {
      expect(() => parse(frame)).toThrow(expect.objectContaining({ name: "Failure", code: "wire/malformed" }));
    }),
    { numRuns: 500 },
  );
  const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
  expect(() => parse(deep)).toThrow(Failure);
  expect(() => parse(`{"type":"open","run":${deep}}`)).toThrow(Failure);
});

it("every message is refused with a key more or a key less", () => {
  const cases = [
    ...fc.sample(toNode, 50).map((message) => [parseToNode, message] as const),
    ...fc.sample(toStation, 50).map((message) => [parseToStation, message] as const),
  ];
  for (const [parse, message] of cases) {
    expect(() => parse(JSON.stringify({ ...message, more: 1 }))).toThrow(Failure);
    for (const key of Object.keys(message)) {
      const less = Object.fromEntries(Object.entries(message).filter(([name]) => name !== key));
      // Telemetry may come without its parts.
      if (message.type === "telemetry" && key !== "type") continue;
      expect(() => parse(JSON.stringify(less))).toThrow(Failure);
    }
  }
});

it("a refusal is about the kind of message that came, not about another kind", () => {
  const refusal = (message: object) => {
    try {
      return parseToNode(JSON.stringify(message));
    } catch (error) {
      return (error as Failure).message;
    }
  };
  expect(refusal({ type: "have", run: "r", file: "journal", offset: -1 })).toBe(
    "message to a node: `offset` must be >= 0, got -1",
  );
  expect(refusal({ type: "start", run: "r", trial: 1.5, startsAtUnixSeconds: 1 })).toContain(
    "`trial` must be integer, got 1.5",
  );
  expect(refusal({ type: "close" })).toContain("required properties run");
  expect(refusal({ type: "dance" })).toContain('{"type":"dance"}');
});

it("an offload request and its answers are read strictly", () => {
  const task = { id: "ed-1-1-0", dataBytes: 1000, workCycles: 1e9, ageSeconds: 0 };
  const request = {
    run: "r",
    trial: 1,
    subSlot: 0,
    chargeJoules: 120,
    queueLength: 1,
    processorBusy: false,
    radioBusy: false,
    last: false,
    ended: [],
    task,
  };
  expect(readOffloadRequest(request, "w")).toEqual(request);
  expect(readOffloadRequest({ ...request, task: null }, "w").task).toBeNull();
  for (const broken of [{ dataBytes: 0 }, { workCycles: 0 }, { ageSeconds: -1 }, { id: "" }]) {
    expect(() => readOffloadRequest({ ...request, task: { ...task, ...broken } }, "w")).toThrow(Failure);
  }
  const lease = {
    id: "l",
    task: "ed-1-1-0",
    bandwidthShare: 0.5,
    computeShare: 1,
    rateBitsPerSecond: 5e7,
    theoreticalUploadSeconds: 0.2,
    theoreticalExecutionSeconds: 0.3,
    expiresInSeconds: 1,
  };
  expect(readOffloadAnswer({ decision: "edge", lease }, "w")).toEqual({ decision: "edge", lease });
  expect(readOffloadAnswer({ decision: "wait" }, "w")).toEqual({ decision: "wait" });
  expect(() => readOffloadAnswer({ decision: "edge" }, "w")).toThrow(/lease/);
  for (const bandwidthShare of [0, 1.01, -1]) {
    expect(() => readOffloadAnswer({ decision: "edge", lease: { ...lease, bandwidthShare } }, "w")).toThrow(
      /bandwidthShare/,
    );
  }
});
