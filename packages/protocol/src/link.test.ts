import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { WebSocket } from "ws";
import { type Authority, createAuthority, type Identity, issueIdentity } from "./identity.ts";
import { Link } from "./link.ts";
import { parseToStation, protocolVersion, type ToStation } from "./link-messages.ts";
import { TestStation } from "./station.test-helper.ts";
import { readTlsMaterial, type TlsMaterial } from "./tls.ts";

const hello: ToStation = {
  type: "hello",
  version: protocolVersion,
  node: "ed-1-1",
  role: "ed",
  boot: "first",
  hardware: "emulated",
  environment: {},
};

let folder = "";
let authority: Authority;
let stationTls: TlsMaterial;
let nodeTls: TlsMaterial;

const issued = async (identity: Identity, by: Authority, where: string): Promise<TlsMaterial> =>
  readTlsMaterial(await issueIdentity(by, identity, ["localhost"], join(folder, where)));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "link-"));
  authority = await createAuthority();
  stationTls = await issued({ id: "cbs", role: "cbs" }, authority, "cbs");
  nodeTls = await issued({ id: "ed-1-1", role: "ed" }, authority, "ed");
});
afterAll(() => rm(folder, { recursive: true }));

let station: TestStation;
let link: Link;
let running: Promise<void> | undefined;
/** Sockets that the station has and frames that it got, in order. */
let accepted: WebSocket[];
let frames: string[];

const start = (tls = nodeTls): void => {
  link = new Link(station.url, tls, () => hello);
  running = link.run();
};

beforeEach(async () => {
  accepted = [];
  frames = [];
  station = new TestStation(stationTls, (socket) => {
    accepted.push(socket);
    socket.on("message", (data) => frames.push(String(data)));
  });
  await station.open();
});
afterEach(async () => {
  link.close();
  await running;
  running = undefined;
  await station.close();
});

it("says hello on its connection before anything else, then carries messages both ways", async () => {
  start();
  await once(link, "up");
  expect(link.isUp).toBe(true);
  expect(link.send({ type: "finished", run: "r", trial: 2, journalBytes: 0 })).toBe(true);
  const message = once(link, "message");
  const socket = accepted[0] as WebSocket;
  if (frames.length < 2) await once(socket, "message");
  if (frames.length < 2) await once(socket, "message");
  expect(frames.map(parseToStation)).toEqual([hello, { type: "finished", run: "r", trial: 2, journalBytes: 0 }]);
  socket.send(JSON.stringify({ type: "close", run: "r" }));
  expect(await message).toEqual([{ type: "close", run: "r" }]);
});

it("comes back to a station that was killed and started again on its port", async () => {
  start();
  await once(link, "up");
  const down = once(link, "down");
  await station.close();
  await down;
  expect(link.isUp).toBe(false);
  expect(link.send({ type: "finished", run: "r", trial: 1, journalBytes: 0 })).toBe(false);
  // Nobody listens: the next attempts fail too.
  const [reason] = await once(link, "down");
  expect(reason).toMatch(/ECONNREFUSED/);
  const up = once(link, "up");
  await station.open();
  await up;
  expect(link.isUp).toBe(true);
  expect(accepted).toHaveLength(2);
});

it("ends a connection on which a malformed message comes, says why, and comes back", async () => {
  start();
  await once(link, "up");
  const broken = [
    ["not JSON", /expected JSON/],
    ['{"type":"have","run":"r","file":"journal","offset":-1}', /`offset` must be >= 0, got -1/],
    [`${"[".repeat(100_000)}${"]".repeat(100_000)}`, /no known kind/],
  ] as const;
  for (const [frame, why] of broken) {
    const socket = accepted.at(-1) as WebSocket;
    const closed = once(socket, "close");
    const down = once(link, "down");
    const up = once(link, "up");
    socket.send(frame);
    expect((await closed)[0]).toBe(1002);
    expect((await down)[0]).toMatch(why);
    await up;
  }
  expect(accepted).toHaveLength(4);
});

it("reports the reason that the station gives for closing", async () => {
  start();
  await once(link, "up");
  const down = once(link, "down");
  accepted[0]?.close(1008, "wrong version");
  expect((await down)[0]).toBe("wrong version");
});

it("keeps out of a station whose certificate is another node's", async () => {
  const impostor = new TestStation(nodeTls, (socket) => accepted.push(socket));
  await impostor.open();
  link = new Link(impostor.url, nodeTls, () => hello);
  running = link.run();
  expect((await once(link, "down"))[0]).toBe("localhost: expected a server with the role (OU) cbs, got ed");
  expect((await once(link, "down"))[0]).toContain("got ed");
  link.close();
  await running;
  await impostor.close();
  expect(accepted).toHaveLength(0);
});

it("is kept out by a station of another lab, and keeps out of one", async () => {
  const other = await createAuthority();
  start(await issued({ id: "ed-1-1", role: "ed" }, other, "other"));
  // It does not trust the station.
  expect((await once(link, "down"))[0]).toMatch(/certificate/);
  link.close();
  await running;
  // It trusts the station, which does not trust it.
  start({ ...(await issued({ id: "ed-1-1", role: "ed" }, other, "other")), ca: nodeTls.ca });
  expect((await once(link, "down"))[0]).toMatch(/alert|ECONNRESET|hang up/);
  expect(accepted).toHaveLength(0);
});

it("close ends run: while connected, while it waits to connect again, and before it began", async () => {
  start();
  await once(link, "up");
  const down = once(link, "down");
  link.close();
  await running;
  await down;
  expect(link.isUp).toBe(false);

  await station.close();
  start();
  await once(link, "down");
  link.close();
  await running;
  expect(link.isUp).toBe(false);

  await station.open();
  link = new Link(station.url, nodeTls, () => hello);
  link.close();
  running = link.run();
  await running;
  expect(accepted).toHaveLength(1);
});
