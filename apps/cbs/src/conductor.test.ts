import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unixNow } from "@offloadlab/hardware";
import { nodeIds, presets } from "@offloadlab/model";
import {
  createAuthority,
  type Identity,
  issueIdentity,
  LabNode,
  readTlsMaterial,
  type TlsMaterial,
} from "@offloadlab/protocol";
import { checkArchive, readRun } from "@offloadlab/records";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Conductor } from "./conductor.ts";
import { Registry } from "./registry.ts";
import { buildStationServer } from "./station-server.ts";

const manifest = `name: small
preset: testbed
policies: [local, edge]
repetitions: 5
seed: 3
clock_speed_ratio: 100
settings: {time_slot_count: 1, communities: {each: {device_count: 1}}}
`;
const nodes = nodeIds(presets.testbed).filter((id) => /^mec-\d$|^ed-\d-1$/.test(id));
const patience = 60_000;

let keys: string;
const materials = new Map<string, TlsMaterial>();
beforeAll(async () => {
  keys = await mkdtemp(join(tmpdir(), "offloadlab-"));
  const authority = await createAuthority(1);
  const roleOf = (id: string): Identity["role"] => (id.startsWith("mec") ? "mec" : "ed");
  const identities: Identity[] = [
    { id: "cbs", role: "cbs" },
    ...nodes.map((id): Identity => ({ id, role: roleOf(id) })),
  ];
  for (const identity of identities) {
    const files = await issueIdentity(authority, identity, ["localhost"], keys, 1);
    materials.set(identity.id, await readTlsMaterial(files));
  }
});
afterAll(() => rm(keys, { recursive: true, force: true }));

let folder: string;
let port: number;
let station: Station | undefined;
const running = new Map<string, LabNode>();
/** Called by each node that was told to start a trial; resolves when it has nothing of it left. */
let work: (node: string, trial: number) => Promise<void>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "offloadlab-"));
  await mkdir(join(folder, "runs"));
  port = 0;
  work = async () => {};
});
afterEach(async () => {
  await Promise.all([...running.values()].map((node) => node.close()));
  running.clear();
  await station?.close();
  station = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** A C-BS in this process. */
class Station {
  readonly conductor: Conductor;
  readonly #server: ReturnType<typeof buildStationServer>;

  private constructor(conductor: Conductor, server: ReturnType<typeof buildStationServer>) {
    this.conductor = conductor;
    this.#server = server;
  }

  static async open(): Promise<Station> {
    const registry = new Registry();
    const log = (): void => {};
    const conductor = new Conductor(join(folder, "runs"), registry, unixNow, log);
    const tls = materials.get("cbs") as TlsMaterial;
    const server = buildStationServer({ tls, registry, conductor, federationOf: () => undefined, unixNow, log });
    await server.listen({ host: "localhost", port });
    port = (server.server.address() as AddressInfo).port;
    return new Station(conductor, server);
  }

  async close(): Promise<void> {
    await this.#server.close();
  }
}

/** Starts a node; its trials last as long as `work` does. */
const start = (id: string): void => {
  const role = id.startsWith("mec") ? "mec" : "ed";
  const node = new LabNode({
    identity: { id, role },
    stationUrl: `wss://localhost:${port}/link`,
    tls: materials.get(id) as TlsMaterial,
    stateFolder: join(folder, id),
    environment: {},
    unixNow,
    log: () => {},
    busy: async () => {},
    telemetry: () => ({ server: { bandwidthInUseRatio: 0, computeInUseRatio: 0, tasksInFlight: 0, links: {} } }),
    prepare: async ({ trial, settings }, journal) => {
      const aborted = new AbortController();
      return {
        run: async () => {
          const abortion = new Promise<never>((_, reject) =>
            aborted.signal.addEventListener("abort", () => reject(aborted.signal.reason)),
          );
          await Promise.race([work(id, trial), abortion]);
          if (role === "ed") return;
          const times = { reported: 1, devices: 1, begunSeconds: 0, handedSeconds: 0 };
          for (let subSlot = 0; subSlot < settings.subSlotsPerTimeSlot; subSlot += 1)
            journal.write({ kind: "sub-slot", trial, subSlot, ...times });
        },
        abort: (reason) => aborted.abort(new DOMException(reason, "AbortError")),
      };
    },
  });
  running.set(id, node);
  void node.run();
};

/** Ends a node's process, as far as others can see, and starts it again. */
const restart = async (id: string): Promise<void> => {
  await running.get(id)?.close();
  start(id);
};

const ended = async (): Promise<string> => {
  await expect
    .poll(() => station?.conductor.progress?.state, { timeout: patience, interval: 50 })
    .toMatch(/^(complete|invalid|interrupted)$/);
  return join(folder, "runs", (await readdir(join(folder, "runs")))[0] as string);
};

test(
  "a node that is restarted in mid-trial costs a repetition, which is counted; the run completes",
  async () => {
    station = await Station.open();
    for (const id of nodes) start(id);
    let isDue = true;
    work = async (node, trial) => {
      if (!isDue || trial !== 3 || node !== "mec-2") return;
      isDue = false;
      void restart("mec-2");
      await new Promise(() => {});
    };
    await station.conductor.begin(manifest);
    const archive = await ended();
    expect(station.conductor.progress?.reasons).toEqual([]);
    const report = await checkArchive(archive);
    expect(report.problems).toEqual([]);
    expect(report.status?.state).toBe("complete");
    const reason = "mec-2 was restarted in the midst of it";
    // The warm-up that the new process needs has a number as well.
    expect(report.abandoned).toMatchObject([{ trial: 3, reason, repeatedAs: 12 }]);
    const { trials, scheduled } = await readRun(archive);
    const without = ({ policy, repetition, seed }: (typeof trials)[number]) => ({ policy, repetition, seed });
    expect(trials.map(without)).toEqual(scheduled.map(without));
  },
  patience,
);
