// The devices of bench/decision.ts, in a process of their own: each reports at the start of every sub-slot, always with a task,
// and says how the one before has ended.
import { readFileSync } from "node:fs";
import { Clock } from "@offloadlab/hardware";
import { randomStream } from "@offloadlab/model";
import { clientTls, type EndedTask, type OffloadRequest, readTlsMaterial } from "@offloadlab/protocol";
import { seconds } from "@offloadlab/units";
import { Client } from "undici";

interface Plan {
  readonly url: string;
  readonly identities: readonly Parameters<typeof readTlsMaterial>[0][];
  readonly devices: readonly string[];
  readonly startsAtUnixSeconds: number;
  readonly clockSpeed: number;
  readonly subSlots: number;
  readonly subSlotSeconds: number;
}

const plan = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Plan;
const clock = new Clock(plan.startsAtUnixSeconds, plan.clockSpeed);

const device = async (id: string, index: number): Promise<void> => {
  const tls = await readTlsMaterial(plan.identities[index] as (typeof plan.identities)[number]);
  const client = new Client(plan.url, { connect: clientTls(tls, "mec") });
  const random = randomStream(1, id);
  const post = async (request: OffloadRequest): Promise<string> => {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(request);
    const response = await client.request({ method: "POST", path: "/api/v1/offload-requests", headers, body });
    return response.body.text();
  };
  let ended: EndedTask[] = [];
  for (let subSlot = 0; subSlot <= plan.subSlots; subSlot++) {
    await clock.sleepUntil(seconds(subSlot * plan.subSlotSeconds));
    const last = subSlot === plan.subSlots;
    const task = { id: `${id}-${subSlot}`, dataBytes: 1_000_000, workCycles: 1.1e9, ageSeconds: random.uniform() };
    const state = { chargeJoules: random.uniform(40, 120), queueLength: 1, processorBusy: false, radioBusy: false };
    await post({ run: "bench", trial: 1, subSlot, ...state, last, ended, task: last ? null : task });
    ended = [
      {
        id: task.id,
        subSlot,
        outcome: random.uniform() < 0.9 ? "completed-edge" : "late",
        delaySeconds: random.uniform(0.3, 1.4),
        energyJoules: random.uniform(5, 30),
      },
    ];
  }
  await client.close();
};

await Promise.all(plan.devices.map(device));
