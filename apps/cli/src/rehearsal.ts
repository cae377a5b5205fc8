import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nodeIds, type Settings } from "@offloadlab/model";
import { createAuthority, type Identity, type IdentityFiles, issueIdentity } from "@offloadlab/protocol";
import { Daemon } from "./daemon.ts";
import { StationClient } from "./station-client.ts";

export interface RehearsalOptions {
  /** Throw-away folder for keys, configurations, logs and the nodes' own journals. */
  readonly folder: string;
  readonly runsFolder: string;
  /** Folder of the bundles. */
  readonly distFolder: string;
  readonly dashboardFolder: string;
  readonly dashboardPort: number;
  readonly images: string;
  readonly classifier: string | undefined;
  readonly settings: Settings;
  readonly say: (line: string) => void;
  /** Ends the start. */
  readonly signal: AbortSignal;
}

/** What another process needs to talk to a lab. */
export interface LabAddress {
  readonly stationUrl: string;
  readonly dashboardUrl: string;
  readonly operator: IdentityFiles;
  /** Of a lab of machines. */
  readonly inventory?: string;
  /** Process ids by node. */
  readonly nodes: Readonly<Record<string, number>>;
}

const host = "127.0.0.1";
const uploadLimitBytes = 16 << 20;

/** A lab on one machine: a throw-away CA, one process for every node, sockets between them on the loopback. */
export class Rehearsal {
  readonly station: StationClient;
  readonly address: LabAddress;
  readonly #daemons: readonly Daemon[];

  private constructor(station: StationClient, address: LabAddress, daemons: readonly Daemon[]) {
    this.station = station;
    this.address = address;
    this.#daemons = daemons;
  }

  /**
   * Starts all daemons; when one fails, those that run are stopped again.
   *
   * @throws Failure with the failing daemon's last words
   */
  static async start(options: RehearsalOptions): Promise<Rehearsal> {
    const daemons: Daemon[] = [];
    try {
      return await startAll(options, daemons, (...parts) => new Rehearsal(...parts));
    } catch (error) {
      await Promise.all(daemons.map((daemon) => daemon.stop()));
      throw error;
    }
  }

  /** Ends every process. The EDs go first, so that none misses its server. */
  async stop(): Promise<void> {
    await this.station.close();
    for (const role of ["ed-", "mec-", "cbs"]) {
      await Promise.all(this.#daemons.filter(({ id }) => id.startsWith(role)).map((daemon) => daemon.stop()));
    }
  }
}

const startAll = async (
  options: RehearsalOptions,
  daemons: Daemon[],
  make: (station: StationClient, address: LabAddress, daemons: readonly Daemon[]) => Rehearsal,
): Promise<Rehearsal> => {
  const { folder, settings, say } = options;
  await rm(folder, { recursive: true, force: true });
  for (const name of ["keys", "config", "logs", "state"])
    await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
  const authority = await createAuthority(7);
  const issue = (identity: Identity): Promise<IdentityFiles> =>
    issueIdentity(authority, identity, ["localhost", host], join(folder, "keys"), 7);

  const start = async (
    id: string,
    bundle: string,
    role: Identity["role"],
    config: Record<string, unknown>,
    ports: Record<string, string>,
  ) => {
    options.signal.throwIfAborted();
    const files = await issue({ id, role });
    const file = join(folder, "config", `${id}.json`);
    const current = { ...config, ...files };
    await writeFile(file, JSON.stringify(current, null, 2));
    const daemon = new Daemon(
      id,
      join(options.distFolder, `${bundle}.mjs`),
      () => file,
      join(folder, "logs", `${id}.log`),
      say,
    );
    daemons.push(daemon);
    const ready = await daemon.start();
    // A restarted daemon must be found where it was.
    const kept = Object.fromEntries(
      Object.entries(ports).map(([key, name]) => [key, ready[name as keyof typeof ready]]),
    );
    await writeFile(file, JSON.stringify({ ...current, ...kept }, null, 2));
    return ready;
  };

  const station = await start(
    "cbs",
    "cbs",
    "cbs",
    {
      listen_host: host,
      listen_port: 0,
      dashboard_port: options.dashboardPort,
      runs_folder: options.runsFolder,
      dashboard_folder: options.dashboardFolder,
    },
    { listen_port: "port", dashboard_port: "dashboardPort" },
  );
  const stationUrl = `wss://${host}:${station.port}/link`;
  const common = (id: string) => ({
    node: id,
    station_url: stationUrl,
    state_folder: join(folder, "state", id),
    ...(options.classifier === undefined ? {} : { classifier: options.classifier }),
  });
  const nodes = nodeIds(settings);
  const serverPorts = new Map<string, number>();
  await Promise.all(
    nodes
      .filter((id) => id.startsWith("mec-"))
      .map(async (id) => {
        const config = { ...common(id), listen_host: host, listen_port: 0, upload_limit_bytes: uploadLimitBytes };
        const { port } = await start(id, "mec", "mec", config, { listen_port: "port" });
        serverPorts.set(id, port ?? 0);
      }),
  );
  await Promise.all(
    nodes
      .filter((id) => id.startsWith("ed-"))
      .map((id) => {
        const server = serverPorts.get(`mec-${id.split("-")[1]}`);
        return start(
          id,
          "ed",
          "ed",
          { ...common(id), server_url: `https://${host}:${server}`, images: options.images },
          {},
        );
      }),
  );
  const operator = await issue({ id: "operator", role: "operator" });
  const client = await StationClient.open(`https://${host}:${station.port}`, operator);
  const address = {
    stationUrl: `https://${host}:${station.port}`,
    dashboardUrl: `http://${host}:${station.dashboardPort}/`,
    operator,
    nodes: Object.fromEntries(daemons.map(({ id, pid }) => [id, pid ?? 0])),
  };
  return make(client, address, daemons);
};
