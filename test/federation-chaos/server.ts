// A MEC of the federation, as a process: it learns a sub-slot for every request of its device.
import { mkdir } from "node:fs/promises";
import { createServer } from "node:https";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { peerIdentity, readTlsMaterial, requireRole, serverTls } from "@offloadlab/protocol";
import { Journal, LineWriter } from "@offloadlab/records";
import { FederationClient } from "../../apps/mec/src/federation-client.ts";
import { configOfProcess, learnerSeed, nodes, policy, run, unixNow, world } from "./parts.ts";
import { SimulatedLearner } from "./simulated-learner.ts";

const { id, folder, identity, port, peerPort } = configOfProcess();
const tls = await readTlsMaterial(identity);
await mkdir(folder, { recursive: true });
const journal = new Journal(await LineWriter.open(join(folder, "journal.ndjson")), unixNow);
const learner = new SimulatedLearner(world, nodes.indexOf(id), learnerSeed);
const client = new FederationClient({
  ...{ run, policy, tls, folder, learner, learnedRound: 0 },
  stationUrl: `https://localhost:${peerPort}`,
  write: (record) => journal.write(record),
  log: (level, message) => console.log(level, message),
});
const server = createServer(serverTls(tls), async (request, response) => {
  requireRole(peerIdentity(request.socket as TLSSocket), ["ed"], "learning");
  await learner.learn(1);
  response.writeHead(204).end();
});
server.listen(port, "127.0.0.1");
process.once("disconnect", () => process.exit());
process.once("SIGTERM", async () => {
  await client.close();
  await journal.close();
  process.exit();
});
process.send?.({ ready: true });
await client.run();
