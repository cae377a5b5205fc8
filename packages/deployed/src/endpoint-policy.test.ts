import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { placement, sharesFit } from "@offloadlab/model";
import { fair } from "@offloadlab/policies";
import { seconds } from "@offloadlab/units";
import { afterEach, describe, expect, it } from "vitest";
import type { ObservationMessage } from "./endpoint-messages.ts";
import { openPolicy } from "./open-policy.ts";
import { deviceCount, devices, newAction, observationOf, world } from "./world.test-helper.ts";

type Answerer = (message: ObservationMessage, response: ServerResponse) => void;

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

const bodyOf = async (request: IncomingMessage): Promise<ObservationMessage> => {
  let text = "";
  for await (const piece of request) text += String(piece);
  return JSON.parse(text) as ObservationMessage;
};

/** Serves a policy on a free port. */
const served = async (answer: Answerer): Promise<string> => {
  server = createServer((request, response) => {
    void bodyOf(request).then((message) => answer(message, response));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/decide`;
};

const decisions =
  (of: (device: ObservationMessage["devices"][number]) => unknown): Answerer =>
  (message, response) => {
    response.end(JSON.stringify({ decisions: message.devices.map(of) }));
  };
const everyoneWaits = decisions(() => ({ placement: "wait" }));

/** Answers well when it is asked the first time, as it is when it is opened, and otherwise later. */
const afterOpening = (then: Answerer): Answerer => {
  let asked = 0;
  return (message, response) => (asked++ === 0 ? everyoneWaits : then)(message, response);
};

const open = (url: string, timeout = 5) => openPolicy(url, world, 0, devices, seconds(timeout));

it("is sent the observation with its units and answers decisions", async () => {
  const seen: ObservationMessage[] = [];
  const url = await served((message, response) => {
    seen.push(message);
    decisions(({ task, is_radio_busy }) =>
      task !== null && !is_radio_busy
        ? { placement: "edge", bandwidth_share_ratio: 0.01, compute_share_ratio: 0.02 }
        : { placement: "local" },
    )(message, response);
  });
  const policy = await open(url);
  const observation = observationOf(4);
  observation.bandwidthInUse = 0.5;
  observation.computeInUse = 0.25;
  const action = newAction();
  await policy.decide(observation, action);
  const message = seen.at(-1) as ObservationMessage;
  expect(message).toMatchObject({
    schema_version: 1,
    deadline_seconds: 1.5,
    sub_slot_seconds: 0.25,
    bandwidth_in_use_ratio: 0.5,
    compute_in_use_ratio: 0.25,
    community: { name: "R1", bandwidth_hertz: 15e6, server_clock_hertz: 8e9 },
  });
  devices.forEach((device, j) => {
    const isWaiting = observation.waiting[j] === 1;
    expect(message.devices[j]).toEqual({
      id: device.id,
      clock_hertz: device.clock,
      k_joule_square_seconds: device.k,
      transmit_power_watts: device.transmitPower,
      full_rate_bits_per_second: device.fullRate,
      distance_meters: observation.distance[j],
      capacity_joules: device.capacity,
      charge_joules: observation.charge[j],
      is_processor_busy: observation.processorBusy[j] === 1,
      is_radio_busy: observation.radioBusy[j] === 1,
      queue_length: observation.queueLength[j],
      task: isWaiting
        ? {
            data_size_bits: observation.dataSize[j],
            work_cycles: observation.work[j],
            age_seconds: observation.age[j],
          }
        : null,
    });
    const isEdge = isWaiting && observation.radioBusy[j] === 0;
    expect(action.placement[j]).toBe(isEdge ? placement.edge : isWaiting ? placement.local : placement.wait);
    expect([action.bandwidthShare[j], action.computeShare[j]]).toEqual(isEdge ? [0.01, 0.02] : [0, 0]);
  });
  expect(policy.answers).toMatchObject({ asked: 1, adjusted: 0, firstProblem: undefined });
  await policy.close();
});

it("scales down what exceeds what is left, and counts it", async () => {
  const everything = { placement: "edge", bandwidth_share_ratio: 1, compute_share_ratio: 1 };
  const policy = await open(await served(decisions(() => everything)));
  for (let number = 0; number < 10; number++) {
    const observation = observationOf(number);
    observation.waiting.fill(1);
    const action = newAction();
    await policy.decide(observation, action);
    expect(sharesFit(action.bandwidthShare, observation.bandwidthInUse)).toBe(true);
    expect(sharesFit(action.computeShare, observation.computeInUse)).toBe(true);
  }
  expect(policy.answers).toMatchObject({ asked: 10, adjusted: 10 });
  await policy.close();
});

describe("Fair decides, and it is counted, when an endpoint", () => {
  const cases: [what: string, reason: string, problem: string | RegExp, answer: Answerer][] = [
    ["answers too late", "late", "no answer in time", () => {}],
    ["begins to answer, and stops", "late", "no answer in time", (_, response) => response.write('{"decisions": [')],
    ["hangs up", "unreachable", /other side closed|ECONNRESET/, (_, response) => response.destroy()],
    ["refuses", "refused", "expected status 200, got 503", (_, response) => response.writeHead(503).end("busy")],
    ["answers no JSON", "malformed", /expected decisions in JSON/, (_, response) => response.end("<html>")],
    [
      "answers something else",
      "malformed",
      'expected {"decisions": [...]}, got null',
      (_, response) => response.end("null"),
    ],
    [
      "answers for fewer devices",
      "malformed",
      "expected 3 decisions, got 1",
      (_, response) => response.end('{"decisions": [{"placement": "local"}]}'),
    ],
    [
      "answers an unknown placement",
      "malformed",
      /expected decision 0 to be .*, got \{"placement":"cloud"\}/,
      decisions(() => ({ placement: "cloud" })),
    ],
    [
      "answers a negative share",
      "malformed",
      /expected decision 0 to be/,
      decisions(() => ({ placement: "edge", bandwidth_share_ratio: -0.1, compute_share_ratio: 0.1 })),
    ],
    [
      "answers a share that is no number",
      "malformed",
      /expected decision 0 to be/,
      decisions(() => ({ placement: "edge", bandwidth_share_ratio: null, compute_share_ratio: 0.1 })),
    ],
    [
      "answers more than a megabyte",
      "malformed",
      /at most 1000000 bytes/,
      (_, response) => response.end(`{"decisions": [${" ".repeat(1_100_000)}]}`),
    ],
  ];
  it.each(cases)("%s (%s)", async (_, reason, problem, answer) => {
    const policy = await open(await served(afterOpening(answer)), reason === "late" ? 0.15 : 5);
    const substitute = fair(world, 0, devices);
    for (let number = 0; number < 3; number++) {
      const [decided, expected] = [newAction(), newAction()];
      await policy.decide(observationOf(number), decided);
      substitute.decide(observationOf(number), expected);
      expect(decided).toEqual(expected);
    }
    expect(policy.answers).toMatchObject({ asked: 3, adjusted: 0 });
    expect(policy.answers.fallbacks).toEqual({ late: 0, unreachable: 0, refused: 0, malformed: 0, [reason]: 3 });
    expect(policy.answers.firstProblem).toMatch(problem);
    await policy.close();
  });
});

it("decides again once it answers again", async () => {
  let asked = 0;
  const url = await served((message, response) => {
    asked++;
    if (asked === 2) response.writeHead(500).end();
    else everyoneWaits(message, response);
  });
  const policy = await open(url);
  for (let number = 0; number < 3; number++) await policy.decide(observationOf(number), newAction());
  expect(policy.answers).toMatchObject({ asked: 3, fallbacks: { refused: 1 } });
  await policy.close();
});

it("is not opened when nobody answers, or answers no decisions", async () => {
  const url = await served((_, response) => response.end("hello"));
  await expect(open(url)).rejects.toThrow(/^http:.*\/decide cannot decide: expected decisions in JSON/);
  server?.close();
  await once(server as Server, "close");
  await expect(open(url)).rejects.toThrow(/cannot decide: connect ECONNREFUSED/);
  await expect(open("http://:x/")).rejects.toThrow("expected an address as http://host:port/path, got http://:x/");
  expect(deviceCount).toBe(3);
});
