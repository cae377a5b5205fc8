import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { emulatedCompute, measuredCompute, openClassifier } from "@offloadlab/classifier";
import { Clock, journalBoard, openBoard, preferEventLoop, unixNow } from "@offloadlab/hardware";
import { communityAt } from "@offloadlab/model";
import {
  Failure,
  LabNode,
  messageOf,
  readConfig,
  readNodeEnvironment,
  readTlsMaterial,
  Supervision,
} from "@offloadlab/protocol";
import { cycles, hertz, joules } from "@offloadlab/units";
import { pino } from "pino";
import { Agents } from "./agents.ts";
import { CommunityTrial } from "./community-trial.ts";
import { readServerConfig } from "./config.ts";
import { buildServer } from "./http-server.ts";
import { InferenceService, type RunningTrial } from "./inference-service.ts";
import { Links } from "./links.ts";
import { observeSubSlot, serverMetrics } from "./metrics.ts";
import { ServiceEnergy } from "./service-energy.ts";
import { ShareScheduler } from "./share-scheduler.ts";
import { fetchAgents } from "./station-files.ts";

/**
 * What one inference counts for on the emulated server: a task of 1.1 Gcycle is eleven of them, of which one is really run.
 */
const cyclesPerInference = cycles(1e8);

const { values } = parseArgs({ options: { config: { type: "string" } } });
let node: LabNode | undefined;
const log = pino(
  { base: null, timestamp: pino.stdTimeFunctions.isoTime },
  {
    write: (line: string) => {
      process.stdout.write(line);
      node?.logLine(line.trimEnd());
    },
  },
);
const supervision = new Supervision();
const say = (level: "info" | "warn" | "error", message: string): void => log[level](message);

try {
  const config = await readConfig(values.config ?? "mec.yaml", readServerConfig);
  const communityIndex = Number(config.node.split("-")[1]) - 1;
  const tls = await readTlsMaterial(config);
  const board = await openBoard(config, say);
  const { processors } = board;
  const classifier = await openClassifier(config.classifier, {
    threads: processors?.count ?? 1,
    where: config.inference ?? "thread",
    onDeath: (how) => say("warn", `${how}; its tasks are run again by another one`),
  });
  // The first inference is slower than all others: it is not a task's.
  await classifier.infer(new Float32Array(3 * classifier.card.input.width * classifier.card.input.height));
  // F is all that the processors can do together: one inference uses every one of them.
  const compute =
    processors === null
      ? emulatedCompute(cyclesPerInference)
      : await measuredCompute(classifier, hertz(processors.clock * processors.count));
  await preferEventLoop();
  let trial: RunningTrial | undefined;
  const inUse = () => ({
    bandwidth: trial?.community.leases.bandwidthInUse ?? 0,
    compute: trial?.community.leases.computeInUse ?? 0,
  });
  const metrics = serverMetrics(inUse);
  const agents = new Agents({
    communityIndex,
    stateFolder: config.state_folder,
    runtimeOn: config.inference ?? "thread",
    fetch: (run, policy) => fetchAgents(config.station_url, tls, run, policy),
    federation: { stationUrl: `https://${new URL(config.station_url).host}`, tls, log: say },
  });
  // What uploads have said of the devices' links, in the current run.
  const links = new Links();
  let linksRun = "";
  const inference = new InferenceService(classifier, config.upload_limit_bytes, () => trial, metrics);
  const work = new Map<string, number>();
  const server = buildServer({
    tls,
    classifier,
    inference,
    metrics,
    log: say,
    offload: async (device, request, handed) => {
      if (trial === undefined) throw new Failure("peer/slow", "no trial runs on this server; wait for the next one");
      if (request.task !== null) work.set(request.task.id, request.task.workCycles);
      return trial.community.report(device, request, handed);
    },
  });
  await server.listen({ host: config.listen_host, port: config.listen_port });
  const { port } = server.server.address() as AddressInfo;
  node = new LabNode({
    identity: { id: config.node, role: "mec" },
    stationUrl: config.station_url,
    tls,
    stateFolder: config.state_folder,
    hardware: board.kind,
    environment: {
      ...(await readNodeEnvironment()),
      ...board.environment,
      inference: config.inference ?? "thread",
      ...(board.kind === "linux" ? { cycles_per_inference: compute.cyclesPerInference } : {}),
      classifier: classifier.card.name,
      classifier_sha256: classifier.sha256,
    },
    unixNow,
    log: say,
    busy: (run) => supervision.busy(run),
    telemetry: () => {
      const { bandwidth, compute } = inUse();
      return {
        server: {
          bandwidthInUseRatio: bandwidth,
          computeInUseRatio: compute,
          tasksInFlight: trial?.community.leases.size ?? 0,
          links: links.estimates,
        },
      };
    },
    prepare: async (order, journal) => {
      const { serverClock, serverPower } = communityAt(order.settings, communityIndex);
      const { policy, finish } = await agents.policyOf(order, journal);
      if (order.run !== linksRun) links.clear();
      linksRun = order.run;
      const trialBoard = await board.beginTrial(joules(0));
      // Before the trial begins, so that wrong settings are refused in time.
      compute.processor(new Clock(unixNow(), order.clockSpeed), serverClock, order.clockSpeed);
      return {
        run: async (startsAtUnixSeconds) => {
          const clock = new Clock(startsAtUnixSeconds, order.clockSpeed);
          const community = new CommunityTrial(order, communityIndex, clock, journal, policy, links, (subSlot) =>
            observeSubSlot(metrics, subSlot, order),
          );
          const processor = compute.processor(clock, serverClock, order.clockSpeed);
          const scheduler = new ShareScheduler(clock, processor, compute.cyclesPerInference);
          work.clear();
          const energy = new ServiceEnergy(trialBoard, serverPower, order.trial, journal);
          trial = { community, scheduler, energy, workOf: (task) => work.get(task) };
          try {
            await journalBoard(board, trialBoard, order.trial, clock, journal, () => community.run());
            await energy.settled();
          } finally {
            trial = undefined;
          }
          await finish();
        },
        abort: (reason) => trial?.community.abort(reason),
      };
    },
  });
  const running = node;
  const stop = async (): Promise<void> => {
    await running.close();
    await agents.close();
    await server.close();
    await classifier.close();
    await board.close();
  };
  supervision.endsWith(stop);
  supervision.ready({ port });
  say("info", `${config.node} is ready on port ${port}, classifier ${classifier.card.name}`);
  await running.run();
} catch (error) {
  say("error", messageOf(error));
  process.exitCode = 1;
  process.disconnect?.();
}
