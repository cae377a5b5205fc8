import {
  communityAt,
  deviceId,
  edgeDelay,
  emptyAction,
  instantReward,
  type Settings,
  serverId,
  type Task,
  tasksOf,
  uploadDelay,
} from "@offloadlab/model";
import { Community, type Latencies, noLatencies, type TaskEnd } from "@offloadlab/simulation";
import { bitsPerSecond, ratio } from "@offloadlab/units";
import type { RunContents } from "../check.ts";
import type { Decision, JournalRecord, NewRecord } from "../journal-records.ts";
import { action, outcome, service, stamped } from "../journals.test-helper.ts";
import type { LaboratoryChoice } from "../laboratory-keys.ts";
import { type Deployed, laboratoryPolicy } from "../laboratory-policy.ts";
import type { Trial } from "../schedule.ts";

const placements = ["local", "edge", "wait"] as const;

/** A run whose laboratory is the simulator, with latencies of its own: what its nodes would have journalled. */
export const simulatedRun = async (
  settings: Settings,
  trials: readonly Trial[],
  latencies: Latencies = noLatencies,
  { deployments = new Map(), models = new Map() }: Partial<Deployed> = {},
): Promise<RunContents> => {
  const deviceSeed = 3;
  const journals = new Map<string, JournalRecord[]>();
  for (const trial of trials) {
    for (const communityIndex of settings.communities.keys()) {
      const deployed = { deployments, models };
      for (const [node, records] of await journalsOf(settings, communityIndex, deviceSeed, trial, latencies, deployed))
        journals.set(node, [...(journals.get(node) ?? []), ...stamped(records)]);
    }
  }
  const contents = { settings, scheduled: trials, trials, abandoned: [], journals, deviceSeed, deployments, models };
  const laboratory: LaboratoryChoice = { learning: null, link: "theoretical", uplinkRateRatios: {} };
  return { ...contents, results: null, clockSpeed: 1, hardware: "emulated", laboratory };
};

/** Of one trial and community. */
const journalsOf = async (
  settings: Settings,
  communityIndex: number,
  deviceSeed: number,
  { number: trial, policy: name, seed }: Trial,
  latencies: Latencies,
  deployed: Deployed,
): Promise<Map<string, NewRecord[]>> => {
  const { demand, device, deviceCount, serverClock } = communityAt(settings, communityIndex);
  const choice = emptyAction(deviceCount);
  const server: NewRecord[] = [];
  const devices = Array.from({ length: deviceCount }, (_, j) => {
    const tasks = tasksOf(settings, communityIndex, j, seed);
    return { tasks, records: tasks.map((task) => generatedRecord(trial, task)), ended: 0 };
  });

  const end = ({ device: j, number, outcome: how, waiting, delay, energy }: TaskEnd): void => {
    const own = devices[j] as (typeof devices)[number];
    const { id: task, dataSize, work } = own.tasks[number] as Task;
    const amounts = { waitingSeconds: waiting, delaySeconds: delay, energyJoules: energy };
    const reward = instantReward(demand, how, delay, energy, device.capacity);
    own.records.push(outcome(task, { trial, outcome: how, ...amounts, reward }));
    own.ended++;
    if (choice.placement[j] !== 1 || delay <= waiting) return;
    const rate = bitsPerSecond((community.devices[j]?.fullRate ?? 0) * (choice.bandwidthShare[j] as number));
    const uploadSeconds = uploadDelay(dataSize, rate);
    const computeShare = choice.computeShare[j] as number;
    const executionSeconds = edgeDelay(work, ratio(computeShare), serverClock);
    const times = { uploadSeconds, theoreticalUploadSeconds: uploadSeconds, executionSeconds };
    server.push(service(task, { trial, ...times, computeShare }));
  };

  const community = new Community(settings, communityIndex, deviceSeed, end, latencies);
  const policy = await laboratoryPolicy(name, deployed, settings, communityIndex, community.devices);
  const observation = community.resetWith(devices.map(({ tasks }) => tasks));
  for (let isOver = false; !isOver; ) {
    await policy.decide(observation, choice);
    const { subSlot } = community;
    const { bandwidthInUse: bandwidthInUseRatio, computeInUse: computeInUseRatio } = observation;
    const decisions = devices.flatMap(({ tasks, ended }, j): Decision[] =>
      observation.waiting[j] === 0
        ? []
        : [
            {
              task: (tasks[ended] as Task).id,
              placement: placements[choice.placement[j] as 0 | 1 | 2],
              bandwidthShare: choice.bandwidthShare[j] as number,
              computeShare: choice.computeShare[j] as number,
            },
          ],
    );
    const late = { latenessSeconds: latencies.start };
    server.push(action(decisions, { trial, subSlot, ...late, bandwidthInUseRatio, computeInUseRatio }));
    isOver = community.step(choice).terminated;
    for (const [j, { records }] of devices.entries())
      records.push(batteryRecord(trial, subSlot, observation.charge[j] as number));
  }
  if ("close" in policy) await policy.close();
  return new Map([
    [serverId(communityIndex), server],
    ...devices.map(({ records }, j): [string, NewRecord[]] => [deviceId(communityIndex, j), records]),
  ]);
};

const generatedRecord = (trial: number, { id, arrival, dataSize, work, image }: Task): NewRecord => ({
  kind: "generated",
  trial,
  task: id,
  arrivalSeconds: arrival,
  dataBytes: dataSize / 8,
  workCycles: work,
  image,
});

const batteryRecord = (trial: number, subSlot: number, chargeJoules: number): NewRecord => ({
  kind: "battery",
  trial,
  subSlot,
  chargeJoules,
  drainedJoules: 0,
  harvestedJoules: 0,
  method: "emulated",
});
