import {
  type Action,
  communityAt,
  emptyAction,
  paper,
  place,
  placement,
  randomStream,
  type Settings,
  type Task,
  testbed,
} from "@offloadlab/model";
import { bits, count, cycles, hertz, joules, seconds, watts } from "@offloadlab/units";
import { describe, expect, it } from "vitest";
import { Community, type TaskEnd } from "./community.ts";
import { actionNumbers, observationNumbers, placedAction } from "./random-actions.test-helper.ts";

const { local, edge } = placement;

/**
 * Two devices at 1 GHz, so that 1 gigacycle takes 1 s and 10 J; 8 Mbit/s, 10 W, a server of 10 GHz and 100 W; 4 J are
 * harvested in a quarter of a second. An epoch has 8 sub-slots.
 */
const settings: Settings = {
  ...testbed,
  timeSlotCount: count(2),
  communities: [
    {
      ...communityAt(testbed, 0),
      deviceCount: count(2),
      bandwidth: hertz(8e6),
      signalToNoise: 1,
      serverClock: hertz(10e9),
      serverPower: watts(100),
      demand: { delay: 1, energy: 3, success: 10 },
      device: {
        ...communityAt(testbed, 0).device,
        clock: { low: hertz(1e9), high: hertz(1e9) },
        transmitPower: { low: watts(10), high: watts(10) },
        capacity: joules(120),
        harvested: joules(4),
      },
    },
  ],
};

/** 2 Mbit and 1 gigacycle unless said otherwise: 0.25 s and 2.5 J to upload, 0.1 s and 10 J to execute, with all shares. */
const task = (arrival: number, dataSize = 2e6, work = 1e9): Task => ({
  id: "",
  arrival: seconds(arrival),
  dataSize: bits(dataSize),
  work: cycles(work),
  image: count(0),
});

type Placing = [device: number, where: typeof local | typeof edge, bandwidthShare?: number, computeShare?: number];

const actionOf = (...placings: Placing[]): Action => {
  const action = emptyAction(count(2));
  for (const [device, where, bandwidthShare = 0, computeShare = 0] of placings) {
    place(action, device, where, bandwidthShare, computeShare);
  }
  return action;
};

const nothing = actionOf();

/** A community with given tasks, and how they end. */
const begin = (tasks: Task[][], readings: Partial<Settings["readings"]> = {}) => {
  const ends: TaskEnd[] = [];
  const community = new Community({ ...settings, readings: { ...settings.readings, ...readings } }, 0, 1, (end) => {
    ends.push(end);
  });
  community.resetWith(tasks);
  /** Steps once for each action. Returns the rewards. */
  const run = (...actions: Action[]): number[] => actions.map((action) => community.step(action).reward);
  return { community, observation: community.observation, ends, run };
};

/** Equal but for rounding. */
const about = (value: number) => expect.closeTo(value, 9);

/** Everything that the rest of an epoch says, with actions from a stream. */
const rest = (community: Community, actionSeed: number): number[][] => {
  const random = randomStream(actionSeed);
  const said: number[][] = [];
  for (let terminated = false; !terminated; ) {
    const action = placedAction(community.observation, random);
    const step = community.step(action);
    terminated = step.terminated;
    said.push([...actionNumbers(action), ...step.rewards, step.reward, ...observationNumbers(community.observation)]);
  }
  return said;
};

const record = (community: Community, seed: number): number[][] => {
  const begun = observationNumbers(community.reset(seed));
  return [begun, ...rest(community, 1)];
};

describe("a task on its device", () => {
  it("takes C / f and k C f², paid when it is decided", () => {
    const { observation, ends, run } = begin([[task(0)]]);
    expect(run(actionOf([0, local]), nothing, nothing, nothing)).toEqual([about(-1.25), 0, 0, 0]);
    expect(ends).toEqual([
      { device: 0, number: 0, outcome: "completed-local", subSlot: 0, waiting: 0, delay: about(1), energy: about(10) },
    ]);
    // 120 - 10 + 4 times 4, full at 120.
    expect(observation.charge[0]).toBe(120);
  });

  it("keeps its processor busy until the sub-slot after its end", () => {
    const { observation, run } = begin([[task(0), task(0, 2e6, 1.1e9)]]);
    const busy = [actionOf([0, local]), nothing, nothing, nothing, actionOf([0, local])].map((action) => {
      run(action);
      return observation.processorBusy[0];
    });
    expect(busy).toEqual([1, 1, 1, 0, 1]);
  });

  it("waits for a busy processor, whatever the action says", () => {
    const { observation, ends, run } = begin([[task(0), task(0)]]);
    const twice = actionOf([0, local]);
    run(twice, twice, twice, twice);
    expect(ends).toHaveLength(1);
    expect([observation.queueLength[0], observation.age[0]]).toEqual([1, 1]);
    run(twice);
    expect(ends[1]).toMatchObject({ outcome: "late", subSlot: 4, waiting: 1, delay: about(2) });
  });

  it("succeeds at T_d itself, and is late after it, for all of its energy", () => {
    const { observation, ends, run } = begin([[task(0)], [task(0)]]);
    const rewards = run(nothing, nothing, actionOf([0, local]), actionOf([1, local]));
    expect(ends).toMatchObject([
      { device: 0, outcome: "completed-local", waiting: 0.5, delay: 1.5 },
      { device: 1, outcome: "late", waiting: 0.75, delay: 1.75, energy: about(10) },
    ]);
    expect(rewards).toEqual([0, 0, about(-1.75), -10]);
    expect([...observation.charge]).toEqual([about(118), about(114)]);
  });
});

describe("a task at the edge", () => {
  it("takes its shares of B and F, and waits until it is uploaded", () => {
    const { ends, run } = begin([[], [task(0)]]);
    // 0.5 s and 5 J, 0.2 s and 20 J, after a quarter of a second in the queue.
    expect(run(nothing, actionOf([1, edge, 0.5, 0.5]))).toEqual([0, about(-0.95 - (3 * 25) / 120)]);
    expect(ends).toEqual([
      {
        device: 1,
        number: 0,
        outcome: "completed-edge",
        subSlot: 1,
        waiting: about(0.75),
        delay: about(0.95),
        energy: about(25),
      },
    ]);
  });

  it("holds its bandwidth while it is uploaded, its share of the server and its radio until the sub-slot after its end", () => {
    const { observation, run } = begin([[task(0)]]);
    const held = [actionOf([0, edge, 0.5, 0.2]), nothing, nothing, nothing].map((action) => {
      run(action);
      return [observation.radioBusy[0], observation.bandwidthInUse, observation.computeInUse];
    });
    // 0.5 s and 0.5 s.
    expect(held).toEqual([
      [1, 0.5, 0.2],
      [1, 0, 0.2],
      [1, 0, 0.2],
      [0, 0, 0],
    ]);
  });

  it("leaves what it does not hold to others, and no more", () => {
    const { observation, run } = begin([[task(0)], [task(0)]]);
    run(actionOf([0, edge, 0.5, 0.75]));
    expect(() => run(actionOf([1, edge, 0.5, 0.26]))).toThrow(
      "Expected shares of at most 1 in sub-slot 1, those in flight included, got 1 of B and 1.01 of F",
    );
    expect(() => run(actionOf([1, edge, 0.51, 0.25]))).toThrow(RangeError);
    run(actionOf([1, edge, 0.5, 0.25]));
    // The first upload ends with this sub-slot.
    expect([observation.bandwidthInUse, observation.computeInUse]).toEqual([0.5, 1]);
  });

  it("leaves all of B and F to others where shares are reused", () => {
    const { observation, ends, run } = begin([[task(0)], [task(0)]], { shares: "reused" });
    run(actionOf([0, edge, 0.5, 0.75]), actionOf([1, edge, 1, 1]));
    expect(ends.map(({ outcome }) => outcome)).toEqual(["completed-edge", "completed-edge"]);
    expect([observation.radioBusy[0], observation.bandwidthInUse, observation.computeInUse]).toEqual([1, 0, 0]);
  });

  it("waits for a busy radio, while the processor is free to work", () => {
    const { observation, ends, run } = begin([[task(0), task(0), task(0)]]);
    run(actionOf([0, edge, 0.5, 0.5]), actionOf([0, edge, 0.5, 0.5]));
    expect(ends).toHaveLength(1);
    run(actionOf([0, local]));
    expect(ends[1]).toMatchObject({ number: 1, outcome: "completed-local", waiting: 0.5, delay: about(1.5) });
    expect([observation.processorBusy[0], observation.radioBusy[0], observation.queueLength[0]]).toEqual([1, 0, 1]);
  });

  it("is late after T_d", () => {
    const { ends, run } = begin([[task(0)]]);
    // 1.25 s and 12.5 J, 0.5 s and 50 J.
    expect(run(actionOf([0, edge, 0.2, 0.2]))).toEqual([-10]);
    expect(ends).toMatchObject([{ outcome: "late", waiting: about(1.25), delay: about(1.75), energy: about(62.5) }]);
  });

  it("takes no share that another would have to give", () => {
    const { run } = begin([[task(0)], []]);
    expect(() => run(actionOf([0, edge, 1, 1], [1, edge, -0.1, 0]))).toThrow(
      "Expected shares of at least 0 in sub-slot 0, got -0.1",
    );
    expect(() => run(actionOf([0, edge, 1, Number.NaN]))).toThrow(RangeError);
  });

  it("needs shares of both", () => {
    const { run } = begin([[task(0)]]);
    expect(() => run(actionOf([0, edge, 0.5, 0]))).toThrow(
      "Expected shares above 0 for a task that is offloaded, got 0.5 of B and 0 of F for ed-1-1",
    );
    expect(() => run(actionOf([0, edge, 0, 0.5]))).toThrow(RangeError);
  });
});

describe("a task that the battery cannot pay for", () => {
  // 5 s and 50 J, 1 s and 100 J.
  const dear = actionOf([0, edge, 0.05, 0.1]);

  it("fails with the sub-slot, takes the charge that there is, and holds nothing", () => {
    const { observation, ends, run } = begin([[task(0)]]);
    expect(run(nothing, dear)).toEqual([0, -10]);
    expect(ends).toEqual([
      { device: 0, number: 0, outcome: "drained", subSlot: 1, waiting: 0.5, delay: 0.5, energy: 120 },
    ]);
    expect([observation.charge[0], observation.radioBusy[0], observation.bandwidthInUse]).toEqual([4, 0, 0]);
  });

  it("costs its device the next sub-slot, in which its queue waits unseen", () => {
    const { observation, ends, run } = begin([[task(0), task(0)]]);
    run(dear);
    expect([observation.waiting[0], observation.queueLength[0], observation.dataSize[0], observation.age[0]]).toEqual([
      0, 1, 0, 0,
    ]);
    run(actionOf([0, local]));
    expect(ends).toHaveLength(1);
    expect([observation.waiting[0], observation.age[0], observation.charge[0]]).toEqual([1, 0.5, 8]);
    // 10 J of 8.
    expect(run(actionOf([0, local]))).toEqual([-10]);
    expect(ends[1]).toMatchObject({ outcome: "drained", subSlot: 2, energy: 8 });
    expect(observation.charge[0]).toBe(4);
  });

  it("is paid for by the last joule", () => {
    const { observation, ends, run } = begin([[task(0)]]);
    // 2 s and 20 J, 1 s and 100 J: all of the charge.
    run(actionOf([0, edge, 0.125, 0.1]));
    expect(ends).toMatchObject([{ outcome: "late", energy: 120 }]);
    expect(observation.charge[0]).toBe(4);
  });
});

describe("the queue", () => {
  it("lets a task expire when it is T_d old, for no energy", () => {
    const { observation, ends, run } = begin([[task(0)]]);
    expect(run(nothing, nothing, nothing, nothing, nothing, nothing)).toEqual([0, 0, 0, 0, 0, -10]);
    expect(ends).toEqual([
      { device: 0, number: 0, outcome: "expired", subSlot: 5, waiting: 1.5, delay: 1.5, energy: 0 },
    ]);
    expect([observation.waiting[0], observation.queueLength[0], observation.charge[0]]).toEqual([0, 0, 120]);
  });

  it("lets tasks of all time-slots expire at the same age, where sub-slots are not exact in binary", () => {
    const fifths: Settings = { ...settings, timeSlot: seconds(0.8), timeSlotCount: count(20), deadline: seconds(1.6) };
    const ages: number[] = [];
    const community = new Community(fifths, 0, 1, ({ waiting }) => ages.push(waiting));
    community.resetWith([Array.from({ length: 20 }, (_, slot) => task(slot * 0.8))]);
    while (!community.step(nothing).terminated);
    expect(ages).toEqual(Array(20).fill(about(1.6)));
  });

  it("is first in, first out, one start in a sub-slot", () => {
    const { observation, ends, run } = begin([[task(0, 1e6), task(0, 2e6), task(0.3, 3e6)]]);
    const seen = () => [observation.dataSize[0], observation.queueLength[0], observation.age[0]];
    const all = actionOf([0, edge, 1, 1]);
    expect(seen()).toEqual([1e6, 2, 0]);
    run(all); // Returns after 0.225 s.
    expect(seen()).toEqual([2e6, 1, 0.25]);
    run(actionOf([0, local]));
    expect(seen()).toEqual([3e6, 1, about(0.2)]);
    run(all);
    expect(seen()).toEqual([0, 0, 0]);
    expect(ends.map(({ number }) => number)).toEqual([0, 1, 2]);
  });

  it("shows a task from the first boundary after its arrival on", () => {
    const { observation, run } = begin([[task(0.26)], [task(0.25)]]);
    run(nothing);
    expect([...observation.waiting]).toEqual([0, 1]);
    run(nothing);
    expect([...observation.age]).toEqual([about(0.24), 0.25]);
  });
});

describe("a battery", () => {
  it("takes a harvest in each sub-slot until it is full", () => {
    const { observation, run } = begin([[task(0)]]);
    const charges = [actionOf([0, local]), nothing, nothing].map((action) => {
      run(action);
      return observation.charge[0];
    });
    expect(charges).toEqual([about(114), about(118), 120]);
  });
});

describe("rewards paid at completion", () => {
  const tasks = [
    [task(0), task(0), task(1)],
    [task(0), task(0)],
  ];
  const actions = [
    actionOf([0, local], [1, edge, 0.05, 0.1]), // until 1.0 s; drained
    actionOf([0, edge, 0.5, 0.5]), // until 0.95 s
    nothing,
    nothing,
    actionOf([0, edge, 1, 1]), // until 1.35 s
    nothing, // the second task of device 1 expires
  ];
  const ofLocal = -1 - (3 * 10) / 120;
  const ofFirstAtEdge = -0.95 - (3 * 25) / 120;
  const ofSecondAtEdge = -0.35 - (3 * 12.5) / 120;
  const rewardsOf = (reward: "decision" | "completion"): number[][] => {
    const { community } = begin(tasks, { reward });
    return actions.map((action) => [...community.step(action).rewards]);
  };

  it("come when a lane is free again, and failures at once", () => {
    expect(rewardsOf("decision")).toEqual([
      [about(ofLocal), -10],
      [about(ofFirstAtEdge), 0],
      [0, 0],
      [0, 0],
      [about(ofSecondAtEdge), 0],
      [0, -10],
    ]);
    expect(rewardsOf("completion")).toEqual([
      [0, -10],
      [0, 0],
      [0, 0],
      [about(ofLocal + ofFirstAtEdge), 0],
      [0, 0],
      [about(ofSecondAtEdge), -10],
    ]);
  });

  it("sum to the same as those paid at the decision", () => {
    const sums = (["decision", "completion"] as const).map((reward) => {
      const { community, run } = begin(tasks, { reward });
      const total = run(...actions, nothing, nothing).reduce((sum, reward) => sum + reward, 0);
      expect(community.totals().reward).toBeCloseTo(total, 9);
      return total;
    });
    expect(sums[1]).toBeCloseTo(sums[0] as number, 9);
  });
});

describe("an epoch", () => {
  it("is truncated after H T sub-slots, and has terminated when its tasks have come to their end", () => {
    const { community } = begin([[task(1)], [task(1)]]);
    const flags = Array.from({ length: 11 }, (_, subSlot) => {
      // Late at 2.75 s; the other expires at 2.5 s.
      const { truncated, terminated } = community.step(subSlot === 7 ? actionOf([0, local]) : nothing);
      return [truncated, terminated];
    });
    expect(flags.slice(0, 7)).toEqual(Array(7).fill([false, false]));
    expect(flags.slice(7)).toEqual([
      [true, false],
      [true, false],
      [true, false],
      [true, true],
    ]);
    expect(community.totals().tasks).toBe(2);
  });

  it("has the sums of its tasks", () => {
    const { community, run } = begin([[task(0), task(0)], [task(0)]]);
    run(actionOf([0, local]), actionOf([0, edge, 0.5, 0.5]), ...Array(6).fill(nothing));
    const totals = community.totals();
    expect(totals).toEqual({
      tasks: 3,
      outcomes: { "completed-local": 1, "completed-edge": 1, late: 0, drained: 0, expired: 1, lost: 0 },
      reward: about(-1.25 - 0.95 - (3 * 25) / 120 - 10),
      energyJoules: about(35),
      waitingSeconds: about(0 + 0.75 + 1.5),
    });
  });

  it("begins without anything of the one before", () => {
    const { community, observation } = begin([[task(0)], [task(0)]]);
    const fresh = structuredClone(community.resetWith([[], [task(0)]]));
    community.resetWith([[task(0), task(0)], [task(0)]]);
    community.step(actionOf([0, edge, 0.5, 0.5], [1, local]));
    community.resetWith([[], [task(0)]]);
    expect(observation).toEqual(fresh);
    expect(community.subSlot).toBe(0);
    expect(community.totals().tasks).toBe(0);
  });

  it("is the same with the same seed, to the last bit, in whatever community it runs", () => {
    const used = new Community(paper, 1, 1);
    used.reset(7);
    used.step(emptyAction(count(13)));
    expect(record(used, 5)).toEqual(record(new Community(paper, 1, 1), 5));
    expect(record(used, 6)).not.toEqual(record(used, 5));
  });

  it("differs with the seed of the devices", () => {
    expect(record(new Community(paper, 1, 2), 5)).not.toEqual(record(new Community(paper, 1, 1), 5));
  });
});

describe("a copy", () => {
  const atCompletion: Settings = { ...paper, readings: { ...paper.readings, reward: "completion" } };
  const used = new Community(atCompletion, 0, 1);
  used.reset(2);
  rest(used, 1);

  it.each([0, 1, 2, 7, 13, 30, 50, 79, 81])(
    "goes on as the other does after %d sub-slots, and leaves it alone",
    (subSlot) => {
      const original = new Community(atCompletion, 0, 1);
      const random = randomStream(subSlot);
      original.reset(1);
      while (original.subSlot < subSlot) original.step(placedAction(original.observation, random));
      const before = structuredClone(original.observation);
      const fresh = new Community(atCompletion, 0, 1);
      const copies = [fresh, used].map((copy) => {
        copy.copyFrom(original);
        expect(copy.observation).toEqual(before);
        return [rest(copy, 4), copy.totals()];
      });
      expect(original.observation).toEqual(before);
      const further = [rest(original, 4), original.totals()];
      expect(copies).toEqual([further, further]);
    },
  );

  it("survives a reset of the other", () => {
    const original = new Community(paper, 0, 1);
    const copy = new Community(paper, 0, 1);
    original.reset(1);
    copy.copyFrom(original);
    original.reset(2);
    const ofSeed1 = new Community(paper, 0, 1);
    ofSeed1.reset(1);
    expect(rest(copy, 4)).toEqual(rest(ofSeed1, 4));
  });

  it("has the same devices", () => {
    const community = new Community(paper, 0, 1);
    expect(() => community.copyFrom(new Community(paper, 1, 1))).toThrow(
      "Expected community 0 with devices of seed 1, got 1 of 1",
    );
    expect(() => community.copyFrom(new Community(paper, 0, 2))).toThrow(RangeError);
  });
});

it("there is no community beyond the settings'", () => {
  expect(() => new Community(paper, 3, 1)).toThrow("Expected a community index below 3");
});
