// Waits until the daemons of a rehearsal that starts are healthy: health.ts <home of the rehearsal> <process of the rehearsal>.
// A MEC says so itself; an ED has no server, it is healthy while its C-BS has it on the line.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { openClient } from "../lab/oip-client.ts";
import { isAlive, type LabFile } from "../lab/rehearsal-process.ts";

const [home = "", rehearsal = "0"] = process.argv.slice(2);
const labFile = join(home, "lab.json");
const read = (file: string): unknown => JSON.parse(readFileSync(file, "utf8"));

/** What is not healthy yet. */
const missing = async (): Promise<string[]> => {
  if (!existsSync(labFile)) return ["the lab"];
  const { operator, dashboardUrl } = read(labFile) as LabFile;
  const { listen_port: port } = read(join(home, "rehearsal/config/mec-1.json")) as { listen_port: number };
  const call = await openClient(`https://127.0.0.1:${port}`, operator);
  const ready = await Promise.all(
    ["live", "ready"].map(async (what) => ((await call("GET", `/v2/health/${what}`)).status === 200 ? [] : [what])),
  );
  const metrics = await (await fetch(`${dashboardUrl}metrics`)).text();
  const online = ["mec-1", "ed-1-1"].filter((node) => !metrics.includes(`offloadlab_node_online{node="${node}"} 1`));
  return [...ready.flat().map((what) => `mec-1 ${what}`), ...online];
};

for (;;) {
  const left = await missing().catch((error: unknown) => [String(error)]);
  if (left.length === 0) break;
  if (!isAlive(Number(rehearsal))) throw new RangeError(`the rehearsal ended without: ${left.join(", ")}`);
  await pause(200);
}
console.log("mec-1 is live and ready, ed-1-1 is online");
