// An ED of the federation, as a process: it keeps its MEC learning.
import { setTimeout as sleep } from "node:timers/promises";
import { clientTls, readTlsMaterial } from "@offloadlab/protocol";
import { Client } from "undici";
import { configOfProcess } from "./parts.ts";

const subSlotMilliseconds = 15;

const { identity, peerPort } = configOfProcess();
const client = new Client(`https://localhost:${peerPort}`, {
  connect: clientTls(await readTlsMaterial(identity), "mec"),
});
process.once("disconnect", () => process.exit());
process.send?.({ ready: true });
for (;;) {
  // A server that is away is asked again in the next sub-slot.
  const answer = await client.request({ method: "POST", path: "/" }).catch(() => undefined);
  await answer?.body.dump();
  await sleep(subSlotMilliseconds);
}
