// The C-BS of the federation, as a process: one round when it is told its number, and again after a restart.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { readTlsMaterial } from "@offloadlab/protocol";
import { archiveFiles, Journal, LineWriter } from "@offloadlab/records";
import { Conductor } from "../../apps/cbs/src/conductor.ts";
import { Federation } from "../../apps/cbs/src/federation.ts";
import { Registry } from "../../apps/cbs/src/registry.ts";
import { buildStationServer } from "../../apps/cbs/src/station-server.ts";
import { configOfProcess, learnerSeed, run, setupWith, unixNow, world } from "./parts.ts";
import { SimulatedLearner } from "./simulated-learner.ts";

const { folder, identity, port } = configOfProcess();
const log = (level: string, message: string): void => console.log(level, message);
await mkdir(join(folder, "journals"), { recursive: true });
const journal = new Journal(await LineWriter.open(join(folder, archiveFiles.journal("cbs"))), unixNow);
const { shapes } = new SimulatedLearner(world, 0, learnerSeed);
const parts = { run, folder, setup: setupWith(shapes), deadlineSeconds: 2, journal, unixNow, log };
const federation = await Federation.open(parts);
const registry = new Registry();
const conductor = new Conductor(folder, registry, unixNow, log);
const tls = await readTlsMaterial(identity);
const server = buildStationServer({ tls, registry, conductor, federationOf: () => federation, unixNow, log });
await server.listen({ host: "127.0.0.1", port });

let asked = 0;
let goesOn = false;
process.on("message", async (round: number) => {
  asked = round;
  if (goesOn) return;
  goesOn = true;
  while (federation.course.round < asked) await federation.runRound(0, new AbortController().signal);
  goesOn = false;
  process.send?.({ ended: federation.course.round });
});
process.once("disconnect", () => process.exit());
process.send?.({ ready: true });
