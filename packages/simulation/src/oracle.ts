import { type Action, emptyAction, localDelay, localEnergy, placement, shareLeft, taskCost } from "@offloadlab/model";
import { type Policy, serverFirst, split } from "@offloadlab/policies";
import { count, cycles, hertz } from "@offloadlab/units";
import { Community } from "./community.ts";

/** How far ahead the oracle looks, in deadlines: what it decides has ended by then, and what it made wait too. */
const deadlinesAhead = 2;
/** How often it goes through all changes. */
const passes = 2;
/** What rounding may add to a reward. */
const rewardTolerance = 1e-9;

/**
 * Oracle: decides with knowledge of the tasks that will arrive, as a ceiling for the policies that do not have it.
 *
 * A local search in roll-outs: it starts from what `serverFirst` would do, tries every other placement of one task and
 * every exchange of two tasks' placements, and keeps what improves the sum of Eq. (19)'s rewards over the next sub-slots.
 * Each try steps a copy of the community, in which `serverFirst` decides from the next sub-slot on. Tasks that are sent to
 * the edge split what is left as Fair's do.
 *
 * It is the best that we know, not an upper bound that anyone has proved. It simulates the very community that it decides
 * for and ignores readings of the observation, so it runs in the simulator alone, never in the laboratory.
 *
 * @param community the one that the policy decides for: `decide` accepts no other's observation
 */
export const oracle = (community: Community): Policy => {
  const { settings, communityIndex, deviceSeed, latencies, devices, deviceCount } = community;
  // Rewards of what is started within the horizon count, though it may end after it.
  const readings = { ...settings.readings, reward: "decision" } as const;
  const trial = new Community({ ...settings, readings }, communityIndex, deviceSeed, undefined, latencies);
  const base = serverFirst(settings, communityIndex, devices);
  const subSlot = settings.timeSlot / settings.subSlotsPerTimeSlot;
  const horizon = Math.ceil((deadlinesAhead * settings.deadline) / subSlot);
  const costOfRest = meanLocalCost(community);

  const best = emptyAction(count(deviceCount));
  const candidate = emptyAction(count(deviceCount));
  const next = emptyAction(count(deviceCount));
  let bestValue = 0;

  /** The reward of an action and of what follows it; too low to matter when it cannot be above a floor. */
  const rewardAhead = (action: Action, floor: number): number => {
    trial.copyFrom(community);
    let step = trial.step(action);
    let value = step.reward;
    // Rewards are never positive: once below the floor, always below it.
    for (let ahead = 1; ahead < horizon && !step.terminated && value > floor; ahead++) {
      base.decide(trial.observation, next);
      step = trial.step(next);
      value += step.reward;
    }
    return value - costOfRest * sum(trial.observation.queueLength);
  };

  /** Whether a device's task can be put somewhere in this sub-slot. */
  const isPossible = (index: number, where: number): boolean => {
    const { waiting, processorBusy, radioBusy, bandwidthInUse, computeInUse } = community.observation;
    if (waiting[index] === 0) return false;
    if (where === placement.local) return processorBusy[index] === 0;
    if (where === placement.edge) {
      return radioBusy[index] === 0 && shareLeft(bandwidthInUse) > 0 && shareLeft(computeInUse) > 0;
    }
    return true;
  };

  /** Tries the best action with other placements of one or two devices, and keeps them if they are better. */
  const improves = (first: number, where: number, second = first, whereSecond = where): boolean => {
    const { bandwidthInUse, computeInUse } = community.observation;
    candidate.placement.set(best.placement);
    candidate.placement[first] = where;
    candidate.placement[second] = whereSecond;
    candidate.bandwidthShare.fill(0);
    candidate.computeShare.fill(0);
    split(community.observation, candidate, shareLeft(bandwidthInUse), shareLeft(computeInUse));
    const value = rewardAhead(candidate, bestValue);
    if (value <= bestValue + rewardTolerance) return false;
    bestValue = value;
    copyAction(candidate, best);
    return true;
  };

  /** Tries every change of the best action. Returns whether one was better. */
  const improvePlacements = (): boolean => {
    let improved = false;
    for (let index = 0; index < deviceCount; index++) {
      for (const where of places) {
        if (where !== best.placement[index] && isPossible(index, where)) improved = improves(index, where) || improved;
      }
    }
    for (let first = 0; first < deviceCount; first++) {
      for (let second = first + 1; second < deviceCount; second++) {
        const where = best.placement[second] as number;
        const whereSecond = best.placement[first] as number;
        if (where === whereSecond || !isPossible(first, where) || !isPossible(second, whereSecond)) continue;
        improved = improves(first, where, second, whereSecond) || improved;
      }
    }
    return improved;
  };

  const hasChoice = (): boolean => {
    for (let index = 0; index < deviceCount; index++) {
      if (isPossible(index, placement.local) || isPossible(index, placement.edge)) return true;
    }
    return false;
  };

  return {
    name: "oracle",
    decide(observation, action) {
      if (observation !== community.observation) {
        throw new RangeError(`Expected the observation of ${community.communitySettings.name} itself, got another`);
      }
      base.decide(observation, best);
      if (hasChoice()) {
        bestValue = rewardAhead(best, Number.NEGATIVE_INFINITY);
        for (let pass = 0; pass < passes && improvePlacements(); pass++);
      }
      copyAction(best, action);
    },
  };
};

const places = [placement.local, placement.edge, placement.wait];

/** What a task that still waits at the horizon will cost: at most about what its own device can do for it. */
const meanLocalCost = ({ communitySettings }: Community): number => {
  const { demand, device, workload } = communitySettings;
  const work = cycles((workload.work.low + workload.work.high) / 2);
  const clock = hertz((device.clock.low + device.clock.high) / 2);
  return taskCost(demand, localDelay(work, clock), localEnergy(work, clock, device.k), device.capacity);
};

const copyAction = (from: Action, to: Action): void => {
  to.placement.set(from.placement);
  to.bandwidthShare.set(from.bandwidthShare);
  to.computeShare.set(from.computeShare);
};

const sum = (values: Uint16Array): number => {
  let total = 0;
  for (let index = 0; index < values.length; index++) total += values[index] as number;
  return total;
};
