import { parseArgs } from "node:util";
import { emulatedCompute, measuredCompute, openClassifier, readImageSet } from "@offloadlab/classifier";
import { Clock, journalBoard, openBoard, preferEventLoop, unixNow } from "@offloadlab/hardware";
import {
  type DeviceTelemetry,
  LabNode,
  messageOf,
  readConfig,
  readNodeEnvironment,
  readTlsMaterial,
  Supervision,
} from "@offloadlab/protocol";
import { bytes, cycles } from "@offloadlab/units";
import { pino } from "pino";
import { readDeviceConfig } from "./config.ts";
import { DeviceTrial } from "./device-trial.ts";
import { readImage } from "./images.ts";
import { ServerClient } from "./server-client.ts";
import { deviceWorld } from "./world.ts";

/** On an emulated device a task is one inference, however many cycles it has. */
const wholeTask = cycles(Number.MAX_VALUE);

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
  const config = await readConfig(values.config ?? "ed.yaml", readDeviceConfig);
  const tls = await readTlsMaterial(config);
  const images = await readImageSet(config.images);
  const board = await openBoard(config, say);
  const classifier = await openClassifier(config.classifier, {
    where: config.inference ?? "thread",
    onDeath: (how) => say("warn", `${how}; its tasks are run again by another one`),
  });
  // The first inference is slower than all others: it is not a task's.
  await classifier.classify(await readImage(images, 0));
  // A task runs on one processor, as a device of the model has one; the inference that gives its label is one of its own.
  const compute =
    board.processors === null
      ? emulatedCompute(wholeTask)
      : await measuredCompute(classifier, board.processors.clock, 1);
  await preferEventLoop();
  const server = new ServerClient(config.server_url, tls, classifier.card.name);
  const idle: DeviceTelemetry = {
    trial: null,
    chargeJoules: 0,
    capacityJoules: 0,
    queueLength: 0,
    processorBusy: false,
    radioBusy: false,
    generated: 0,
    outcomes: {},
    reward: 0,
  };
  let trial: DeviceTrial | undefined;
  node = new LabNode({
    identity: { id: config.node, role: "ed" },
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
    telemetry: () => ({ device: trial?.telemetry ?? idle }),
    prepare: async (order, journal) => {
      const world = deviceWorld(
        order,
        config.node,
        images.images.map((image) => bytes(image.bytes)),
      );
      await server.connect();
      const trialBoard = await board.beginTrial(world.device.harvested);
      const lab = { classifier, images, server, journal, board: trialBoard, log: say };
      // Before the trial begins, so that wrong settings are refused in time.
      compute.processor(new Clock(unixNow(), order.clockSpeed), world.device.clock, order.clockSpeed);
      return {
        run: async (startsAtUnixSeconds) => {
          const clock = new Clock(startsAtUnixSeconds, order.clockSpeed);
          const processor = compute.processor(clock, world.device.clock, order.clockSpeed);
          const current = new DeviceTrial(order, world, { ...lab, processor, clock });
          trial = current;
          await journalBoard(board, trialBoard, order.trial, clock, journal, () => current.run());
        },
        abort: (reason) => trial?.abort(reason),
      };
    },
  });
  const running = node;
  const stop = async (): Promise<void> => {
    await running.close();
    await Promise.all([server.close(), classifier.close(), board.close()]);
  };
  supervision.endsWith(stop);
  supervision.ready();
  say("info", `${config.node} is ready, ${images.images.length} images, classifier ${classifier.card.name}`);
  await running.run();
} catch (error) {
  say("error", messageOf(error));
  process.exitCode = 1;
  process.disconnect?.();
}
