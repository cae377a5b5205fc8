import { mkdir } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { unixNow } from "@offloadlab/hardware";
import {
  type LiveSnapshot,
  type LiveTrace,
  messageOf,
  readConfig,
  readTlsMaterial,
  Supervision,
} from "@offloadlab/protocol";
import { pino } from "pino";
import { Conductor } from "./conductor.ts";
import { readStationConfig } from "./config.ts";
import { buildDashboardServer } from "./dashboard-server.ts";
import { liveTrace } from "./live-trace.ts";
import { liveSnapshot } from "./live-view.ts";
import { stationMetrics } from "./metrics.ts";
import { Registry } from "./registry.ts";
import { buildStationServer } from "./station-server.ts";

const { values } = parseArgs({ options: { config: { type: "string" } } });
let conductor: Conductor | undefined;
const log = pino(
  { base: null, timestamp: pino.stdTimeFunctions.isoTime },
  {
    write: (line: string) => {
      process.stdout.write(line);
      conductor?.logLine(line.trimEnd());
    },
  },
);
const supervision = new Supervision();
const say = (level: "info" | "warn" | "error", message: string): void => log[level](message);

try {
  const config = await readConfig(values.config ?? "cbs.yaml", readStationConfig);
  const tls = await readTlsMaterial(config);
  await mkdir(config.runs_folder, { recursive: true });
  const registry = new Registry();
  const running = new Conductor(config.runs_folder, registry, unixNow, say, (run) => supervision.busy(run));
  conductor = running;
  const snapshot = (): LiveSnapshot =>
    liveSnapshot(running.progress, running.settings, (id) => registry.find(id), unixNow(), running.federations);
  const station = buildStationServer({
    tls,
    registry,
    conductor: running,
    federationOf: (policy) => running.federationOf(policy),
    unixNow,
    log: say,
  });
  const trace = async (task: string, trial?: number): Promise<LiveTrace | string> => {
    const { progress, settings } = running;
    return progress === undefined || settings === undefined
      ? "no run has begun"
      : liveTrace({ ...progress, settings }, task, trial);
  };
  const dashboard = buildDashboardServer(config.dashboard_folder, snapshot, stationMetrics(snapshot), trace);
  await station.listen({ host: config.listen_host, port: config.listen_port });
  await dashboard.listen({ host: "127.0.0.1", port: config.dashboard_port });
  const { port } = station.server.address() as AddressInfo;
  const { port: dashboardPort } = dashboard.server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    await running.stop("the C-BS was stopped");
    await Promise.all([station.close(), dashboard.close()]);
  };
  supervision.endsWith(stop);
  say("info", `the C-BS is ready on port ${port}, dashboard on port ${dashboardPort}`);
  supervision.ready({ port, dashboardPort });
  running.recover();
} catch (error) {
  say("error", messageOf(error));
  process.exitCode = 1;
  process.disconnect?.();
}
