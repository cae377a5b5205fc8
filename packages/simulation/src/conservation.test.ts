import {
  type Action,
  type Arrivals,
  type CommunitySettings,
  instantReward,
  nextCharge,
  type Observation,
  paidDrain,
  placement,
  randomStream,
  type Settings,
  shareTolerance,
  storedHarvest,
  type Task,
  tasksOf,
} from "@offloadlab/model";
import {
  bits,
  capacitance,
  count,
  cycles,
  hertz,
  type Joules,
  joules,
  meters,
  seconds,
  watts,
} from "@offloadlab/units";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Community, type TaskEnd } from "./community.ts";
import type { EpochTotals } from "./epoch-totals.ts";
import { decodedAction, placedAction } from "./random-actions.test-helper.ts";

/** Evenly spread, where `fc.double` would mostly be next to 0. */
const between = (min: number, max: number) =>
  fc.integer({ min: 0, max: 1_000_000 }).map((millionths) => min + ((max - min) * millionths) / 1_000_000);
const rangeWithin = <Q>(min: number, max: number, unit: (value: number) => Q) =>
  fc
    .tuple(between(min, max), between(min, max))
    .map(([a, b]) => ({ low: unit(Math.min(a, b)), high: unit(Math.max(a, b)) }));

const device = fc.record({
  clock: rangeWithin(0.5e9, 2e9, hertz),
  k: fc.constantFrom(capacitance(1e-26), capacitance(2e-26)),
  // Not less, or uploads with the smallest shares last for hours.
  transmitPower: rangeWithin(5, 40, watts),
  distance: rangeWithin(5, 50, meters),
  capacity: between(20, 300).map(joules),
  harvested: between(0, 60).map(joules),
});

const workload = fc.record({
  arrivals: fc.constantFrom<Arrivals>("poisson", "c-esp"),
  tasksPerTimeSlot: between(0, 2),
  dataSize: rangeWithin(1e6, 12e6, bits),
  work: rangeWithin(0.05e9, 1e9, cycles),
});

const community = fc.record({
  name: fc.constant("R1"),
  deviceCount: fc.integer({ min: 1, max: 6 }).map(count),
  bandwidth: between(1e6, 30e6).map(hertz),
  signalToNoise: between(0.5, 200),
  pathLossExponent: between(1, 3),
  serverClock: between(2e9, 30e9).map(hertz),
  serverPower: between(10, 150).map(watts),
  demand: fc.record({ delay: between(0, 1), energy: between(0, 1), success: between(0, 20) }),
  device,
  workload,
});

const settings: fc.Arbitrary<Settings> = fc.record({
  name: fc.constant("random"),
  timeSlot: between(0.5, 2).map(seconds),
  subSlotsPerTimeSlot: fc.integer({ min: 1, max: 6 }).map(count),
  timeSlotCount: fc.integer({ min: 8, max: 20 }).map(count),
  deadline: between(0.2, 6).map(seconds),
  readings: fc.record({
    shares: fc.constantFrom("kept" as const, "reused" as const),
    reward: fc.constantFrom("decision" as const, "completion" as const),
    observation: fc.constant("extended" as const),
  }),
  communities: community.map((one) => [one]),
});

/** A sub-slot as one sees it from outside. */
interface SubSlot {
  readonly time: number;
  /** At its start. */
  readonly observation: Observation;
  readonly action: Action;
  /** Tasks that it decided. */
  readonly ends: readonly TaskEnd[];
  readonly rewards: readonly number[];
}

interface Epoch {
  readonly settings: Settings;
  readonly world: CommunitySettings;
  /** [n] */
  readonly tasks: readonly (readonly Task[])[];
  readonly subSlots: readonly SubSlot[];
  readonly last: Observation;
  readonly totals: EpochTotals;
}

/** An epoch to its very end. */
const epochOf = (settings: Settings, drawAction: typeof decodedAction, seed: number): Epoch => {
  let ends: TaskEnd[] = [];
  const community = new Community(settings, 0, seed, (end) => ends.push(end));
  const random = randomStream(seed, "actions");
  const subSlots: SubSlot[] = [];
  community.reset(seed);
  for (let terminated = false; !terminated; ) {
    const time = (community.subSlot * settings.timeSlot) / settings.subSlotsPerTimeSlot;
    const observation = structuredClone(community.observation);
    const action = drawAction(community.observation, random);
    ends = [];
    const step = community.step(action);
    subSlots.push({ time, observation, action, ends, rewards: [...step.rewards] });
    terminated = step.terminated;
  }
  const world = community.communitySettings;
  const tasks = Array.from({ length: world.deviceCount }, (_, index) => tasksOf(settings, 0, index, seed));
  return { settings, world, tasks, subSlots, last: structuredClone(community.observation), totals: community.totals() };
};

/** Asserts what holds in every epoch of random settings, under random actions. */
const inEveryEpoch = (holds: (epoch: Epoch) => void): void => {
  let subSlots = 0;
  fc.assert(
    fc.property(settings, fc.constantFrom(decodedAction, placedAction), fc.nat(), (world, drawAction, seed) => {
      const epoch = epochOf(world, drawAction, seed);
      subSlots += epoch.subSlots.length;
      holds(epoch);
    }),
    { numRuns: 100 },
  );
  expect(subSlots).toBeGreaterThan(2000);
};

const devicesOf = ({ tasks }: Epoch): number[] => [...tasks.keys()];
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const isStart = ({ outcome }: TaskEnd): boolean => outcome !== "expired";

/** Equal but for the rounding of many additions. */
const expectClose = (actual: number, expected: number): void => {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(actual), Math.abs(expected)));
};

it("every task that is generated ends exactly once, in the order of its arrival", () => {
  inEveryEpoch((epoch) => {
    const ends = epoch.subSlots.flatMap((subSlot) => subSlot.ends);
    for (const device of devicesOf(epoch)) {
      const numbers = ends.filter((end) => end.device === device).map((end) => end.number);
      expect(numbers).toEqual([...(epoch.tasks[device] as Task[]).keys()]);
    }
    expect(epoch.totals.tasks).toBe(ends.length);
    expect(sum(Object.values(epoch.totals.outcomes))).toBe(ends.length);
    expectClose(epoch.totals.energyJoules, sum(ends.map(({ energy }) => energy)));
    expectClose(epoch.totals.waitingSeconds, sum(ends.map(({ waiting }) => waiting)));
  });
});

it("what tasks use and what the battery gains is the harvest that it took", () => {
  inEveryEpoch((epoch) => {
    const { capacity, harvested } = epoch.world.device;
    for (const device of devicesOf(epoch)) {
      const charges = [...epoch.subSlots.map(({ observation }) => observation), epoch.last].map(({ charge }) =>
        joules(charge[device] as number),
      );
      let used = 0;
      let taken = 0;
      for (const [index, { ends }] of epoch.subSlots.entries()) {
        const charge = charges[index] as Joules;
        const drain = joules(sum(ends.filter((end) => end.device === device).map(({ energy }) => energy)));
        expect(drain).toBeLessThanOrEqual(charge);
        expect(charges[index + 1]).toBe(nextCharge(charge, harvested, drain, capacity));
        used += paidDrain(charge, harvested, drain);
        taken += storedHarvest(charge, harvested, drain, capacity);
      }
      expect(Math.min(...charges)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...charges)).toBeLessThanOrEqual(capacity);
      expectClose(used + (charges.at(-1) as number) - (charges[0] as number), taken);
    }
  });
});

it("a lane and compute are in use as long as the task that was started runs, bandwidth while it is uploaded", () => {
  inEveryEpoch((epoch) => {
    const processorUntil = devicesOf(epoch).map(() => 0);
    const inFlight = devicesOf(epoch).map(() => ({ uploadUntil: 0, until: 0, bandwidth: 0, compute: 0 }));
    for (const { time, observation, action, ends } of epoch.subSlots) {
      const holding = epoch.settings.readings.shares === "kept" ? inFlight : [];
      const uploading = holding.filter(({ uploadUntil }) => uploadUntil > time);
      const running = holding.filter(({ until }) => until > time);
      expectClose(observation.bandwidthInUse, sum(uploading.map(({ bandwidth }) => bandwidth)));
      expectClose(observation.computeInUse, sum(running.map(({ compute }) => compute)));
      expect(observation.bandwidthInUse + sum([...action.bandwidthShare])).toBeLessThanOrEqual(1 + shareTolerance);
      expect(observation.computeInUse + sum([...action.computeShare])).toBeLessThanOrEqual(1 + shareTolerance);
      expect([...observation.processorBusy]).toEqual(processorUntil.map((until) => Number(until > time)));
      expect([...observation.radioBusy]).toEqual(inFlight.map(({ until }) => Number(until > time)));

      for (const { device, delay, waiting, outcome } of ends.filter(isStart)) {
        const age = observation.age[device] as number;
        const until = time + delay - age;
        if (outcome === "drained") continue;
        if (action.placement[device] === placement.local) processorUntil[device] = until;
        else {
          const bandwidth = action.bandwidthShare[device] as number;
          inFlight[device] = {
            uploadUntil: time + waiting - age,
            until,
            bandwidth,
            compute: action.computeShare[device] as number,
          };
        }
      }
    }
  });
});

it("a task starts where the action says if its lane is idle, and is judged by its deadline", () => {
  inEveryEpoch((epoch) => {
    for (const { observation, action, ends } of epoch.subSlots) {
      const starting = devicesOf(epoch).filter((device) => {
        const busy = [observation.processorBusy, observation.radioBusy][action.placement[device] as number];
        return observation.waiting[device] === 1 && busy?.[device] === 0;
      });
      expect(ends.filter(isStart).map(({ device }) => device)).toEqual(starting);
      for (const { device, outcome, delay } of ends) {
        const completed = action.placement[device] === placement.local ? "completed-local" : "completed-edge";
        if (delay <= epoch.settings.deadline) expect([completed, "drained", "expired"]).toContain(outcome);
        else expect(["late", "drained", "expired"]).toContain(outcome);
      }
    }
  });
});

it("the head of the line is the oldest task that has not been decided, and has its age", () => {
  inEveryEpoch((epoch) => {
    const decided = devicesOf(epoch).map(() => 0);
    let drained: number[] = [];
    for (const { time, observation, ends } of epoch.subSlots) {
      for (const device of devicesOf(epoch)) {
        const tasks = epoch.tasks[device] as Task[];
        const arrived = tasks.filter(({ arrival }) => arrival <= time + 1e-9).length;
        const head = tasks[decided[device] as number];
        expect(observation.queueLength[device]).toBe(arrived - (decided[device] as number));
        const isShown = observation.queueLength[device] !== 0 && !drained.includes(device);
        expect(observation.waiting[device]).toBe(Number(isShown));
        expect(observation.dataSize[device]).toBe(isShown ? head?.dataSize : 0);
        expect(observation.work[device]).toBe(isShown ? head?.work : 0);
        expectClose(observation.age[device] as number, isShown ? Math.max(time - (head as Task).arrival, 0) : 0);
        expect(observation.age[device]).toBeLessThan(epoch.settings.deadline);
      }
      for (const { device } of ends) decided[device] = (decided[device] as number) + 1;
      drained = ends.filter(({ outcome }) => outcome === "drained").map(({ device }) => device);
    }
  });
});

it("each task pays its reward once, at its decision or later", () => {
  inEveryEpoch((epoch) => {
    const { world, settings, subSlots, totals } = epoch;
    for (const device of devicesOf(epoch)) {
      let owed = 0;
      for (const { ends, rewards } of subSlots) {
        const decided = ends.filter((end) => end.device === device);
        owed += sum(
          decided.map((end) => instantReward(world.demand, end.outcome, end.delay, end.energy, world.device.capacity)),
        );
        owed -= rewards[device] as number;
        if (settings.readings.reward === "decision") expectClose(owed, 0);
        else expect(owed).toBeLessThanOrEqual(1e-9);
      }
      expectClose(owed, 0);
    }
    expectClose(totals.reward, sum(subSlots.flatMap(({ rewards }) => rewards)));
  });
});
