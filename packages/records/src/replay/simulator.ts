import { communityAt, emptyAction, instantReward, placement, type Settings, type Task } from "@offloadlab/model";
import { Community, type Latencies, type TaskEnd } from "@offloadlab/simulation";
import { type Deployed, laboratoryPolicy } from "../laboratory-policy.ts";
import type { Trial } from "../schedule.ts";
import type { CommunityCourse, TaskCourse } from "./course.ts";

/** What a decision goes by, besides the tasks. */
interface Sight {
  readonly charge: Float64Array;
  readonly inUse: readonly [bandwidth: number, compute: number];
}

/**
 * A trial of a community again, in the simulator: the same devices, tasks and policy.
 *
 * @param tasks [n] those that each device generated in the laboratory
 */
export const simulatedCourse = async (
  settings: Settings,
  communityIndex: number,
  deviceSeed: number,
  trial: Trial,
  tasks: readonly (readonly Task[])[],
  latencies: Latencies,
  deployed: Deployed,
): Promise<CommunityCourse> => {
  // A laboratory has its bandwidth and compute but once, whatever a simulation may assume.
  const physical: Settings = { ...settings, readings: { ...settings.readings, shares: "kept" } };
  const { demand, device, deviceCount } = communityAt(settings, communityIndex);
  const action = emptyAction(deviceCount);
  const courses = tasks.map((): TaskCourse[] => []);
  const end = ({ device: j, number, outcome, subSlot, waiting, delay, energy }: TaskEnd): void => {
    const task = tasks[j]?.[number] as Task;
    const isStarted = outcome !== "expired";
    courses[j]?.push({
      task: task.id,
      arrivalSeconds: task.arrival,
      placement: !isStarted ? null : action.placement[j] === placement.local ? "local" : "edge",
      subSlot: isStarted ? subSlot : null,
      outcome,
      waitingSeconds: waiting,
      delaySeconds: delay,
      energyJoules: energy,
      reward: instantReward(demand, outcome, delay, energy, device.capacity),
    });
  };
  const community = new Community(physical, communityIndex, deviceSeed, end, latencies);
  const policy = await laboratoryPolicy(trial.policy, deployed, physical, communityIndex, community.devices);
  const observation = community.resetWith(tasks);
  const sights: Sight[] = [];
  do {
    const { bandwidthInUse, computeInUse } = observation;
    sights.push({ charge: observation.charge.slice(), inUse: [bandwidthInUse, computeInUse] });
    const later = policy.decide(observation, action);
    // One that decides at once costs no turn of the event loop.
    if (later !== undefined) await later;
  } while (!community.step(action).terminated);
  if ("close" in policy) await policy.close();
  return {
    tasks: courses,
    chargeJoules: (j, subSlot) => sights[subSlot]?.charge[j] ?? Number.NaN,
    inUse: (subSlot) => sights[subSlot]?.inUse ?? null,
  };
};
