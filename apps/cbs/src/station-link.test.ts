import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthority, issueIdentity, Link, protocolVersion, readTlsMaterial } from "@offloadlab/protocol";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Conductor } from "./conductor.ts";
import { Registry } from "./registry.ts";
import { buildStationServer } from "./station-server.ts";

const unixNow = (): number => (performance.timeOrigin + performance.now()) / 1000;

let folder: string;
let registry: Registry;
let said: string[];
let server: ReturnType<typeof buildStationServer>;
let link: Link;
let running: Promise<void>;

/** A daemon of another release, or of this one, connects. */
const connect = async (version: number): Promise<void> => {
  const authority = await createAuthority(1);
  const station = await issueIdentity(authority, { id: "cbs", role: "cbs" }, ["localhost"], folder, 1);
  const device = await issueIdentity(authority, { id: "ed-1-1", role: "ed" }, ["localhost"], folder, 1);
  const log = (_level: string, message: string): void => void said.push(message);
  const conductor = new Conductor(folder, registry, unixNow, log);
  const tls = await readTlsMaterial(station);
  server = buildStationServer({ tls, registry, conductor, federationOf: () => undefined, unixNow, log });
  await server.listen({ host: "127.0.0.1", port: 0 });
  const { port } = server.server.address() as AddressInfo;
  link = new Link(`wss://localhost:${port}/link`, await readTlsMaterial(device), () => ({
    ...{ type: "hello", version, node: "ed-1-1", role: "ed", boot: "first", hardware: "emulated", environment: {} },
  }));
  running = link.run();
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "offloadlab-"));
  registry = new Registry();
  said = [];
});
afterEach(async () => {
  link.close();
  await running;
  await server.close();
  await rm(folder, { recursive: true });
});

it("takes a daemon of its own release in", async () => {
  const online = once(registry, "online");
  await connect(protocolVersion);
  expect((await online)[0]).toMatchObject({ id: "ed-1-1", boot: "first" });
});

it.each([protocolVersion - 1, protocolVersion + 1])(
  "refuses a daemon of protocol version %i, and says why to both",
  async (version) => {
    await connect(version);
    const why = `expected protocol version ${protocolVersion}, got ${version}; deploy the same release everywhere`;
    const [reason] = await once(link, "down");
    expect(reason).toBe(why);
    expect(said).toContain(`closed the link of ed-1-1: ${why}`);
    expect(registry.find("ed-1-1")).toBeUndefined();
  },
);
