import { afterEach, describe, expect, it } from "vitest";
import type { Agent, AgentWeights } from "./agent.ts";
import { flatShape, learners, liveEpoch, numbers, setShape } from "./agents.test-helper.ts";
import type { Rows } from "./network.ts";

const opened: Agent[] = [];
const kept = (agent: Agent): Agent => {
  opened.push(agent);
  return agent;
};
afterEach(async () => {
  for (const agent of opened.splice(0)) await agent.close();
});

/** What an agent does in each of some states. */
const actionsIn = (agent: Agent, states: readonly Float32Array[]): number[][] =>
  states.map((state) => {
    const action = new Float32Array(agent.shape.rows * agent.shape.actions);
    agent.act(state, action);
    return [...action];
  });
const statesOf = ({ rows, features }: Rows, count = 8): Float32Array[] =>
  Array.from({ length: count }, (_, i) => numbers(rows * features, "seen", i));

const copyOf = (weights: AgentWeights): Record<string, Float32Array> =>
  Object.fromEntries(Object.entries(weights).map(([name, values]) => [name, values.slice()]));

const shapes = [
  ["a row for each device", setShape],
  ["one row for the community", flatShape],
] as const;

describe.each(learners)("$name", ({ open }) => {
  const begin = (...parameters: Parameters<typeof open>): Agent => kept(open(...parameters));

  it.each(shapes)("%s: one seed gives the same bytes after 50 updates, other seeds others", async (_, shape) => {
    const learned = async (...seeds: [weights: number, draws: number]) => {
      const agent = begin(shape, {}, ...seeds);
      await liveEpoch(agent, 1, { steps: 55, learnsFrom: 5 });
      return agent.snapshot();
    };
    const first = await learned(1, 1);
    expect(await learned(1, 1)).toEqual(first);
    expect((await learned(2, 1)).arrays).not.toEqual(first.arrays);
    expect((await learned(1, 2)).arrays).not.toEqual(first.arrays);
  });

  it("begins as its seed of weights says, whatever it draws", () => {
    expect(begin(setShape, {}, 1, 7).weights).toEqual(begin(setShape, {}, 1, 8).weights);
    expect(begin(setShape, {}, 1).weights).not.toEqual(begin(setShape, {}, 2).weights);
  });

  it.each(shapes)("%s: goes on from a snapshot to the same bytes", async (_, shape) => {
    const whole = begin(shape);
    for (const epoch of [1, 2, 3, 4]) await liveEpoch(whole, epoch);
    const first = begin(shape);
    for (const epoch of [1, 2]) await liveEpoch(first, epoch);
    const snapshot = first.snapshot();
    const resumed = begin(shape, {}, 1);
    resumed.restore(snapshot);
    expect(resumed.snapshot()).toEqual(snapshot);
    for (const epoch of [3, 4]) await liveEpoch(resumed, epoch);
    expect(resumed.snapshot()).toEqual(whole.snapshot());
  });

  it("shares no memory with its snapshots", async () => {
    const agent = begin(setShape);
    await liveEpoch(agent, 1);
    const before = structuredClone(agent.snapshot());
    const snapshot = agent.snapshot();
    const other = begin(setShape);
    other.restore(snapshot);
    for (const values of Object.values(snapshot.arrays)) values.fill(7);
    expect(agent.snapshot()).toEqual(before);
    expect(other.snapshot()).toEqual(before);
    await liveEpoch(agent, 2);
    expect(other.snapshot()).toEqual(before);
  });

  it("refuses a snapshot of other networks, and of another buffer", async () => {
    const snapshot = begin(setShape).snapshot();
    expect(() => begin(setShape, { hidden: 9 }).restore(snapshot)).toThrow(RangeError);
    expect(() => begin(setShape).restore({ ...snapshot, counts: { ...snapshot.counts, pushed: 3 } })).toThrow(
      RangeError,
    );
  });

  it("copies the weights that it is given and gives", () => {
    const agent = begin(setShape, {}, 1);
    const given = copyOf(begin(setShape, {}, 2).weights);
    agent.weights = given;
    const taken = copyOf(agent.weights);
    expect(taken).toEqual(given);
    for (const values of [...Object.values(given), ...Object.values(agent.weights)]) values.fill(7);
    expect(agent.weights).toEqual(taken);
  });

  it("refuses weights of other networks, and keeps its own", () => {
    const agent = begin(setShape);
    const before = copyOf(agent.weights);
    expect(() => {
      agent.weights = begin(setShape, { hidden: 9 }).weights;
    }).toThrow(RangeError);
    for (const name of Object.keys(before)) {
      const { [name]: _, ...others } = copyOf(begin(setShape, {}, 2).weights);
      expect(() => {
        agent.weights = others;
      }).toThrow(/got none/);
    }
    expect(agent.weights).toEqual(before);
  });

  it("keeps its targets and moments when its weights are replaced", async () => {
    const agent = begin(setShape);
    await liveEpoch(agent, 1);
    const before = agent.snapshot().arrays;
    agent.weights = begin(setShape, {}, 2).weights;
    const after = agent.snapshot().arrays;
    const changed = Object.keys(before).filter((name) => !Buffer.from(bytes(before, name)).equals(bytes(after, name)));
    expect(changed.filter((name) => /First|Second|Target|buffer/.test(name))).toEqual([]);
    expect(changed).not.toEqual([]);
  });

  it("starts from weights as if it had begun with them, but remembers, after all of it has become NaN", async () => {
    const agent = begin(setShape);
    await liveEpoch(agent, 1);
    const { arrays, counts } = agent.snapshot();
    const spoilt = Object.entries(arrays).map(([name, values]) => [
      name,
      name === "buffer" ? values : new Float32Array(values.length).fill(Number.NaN),
    ]);
    agent.restore({ arrays: Object.fromEntries(spoilt), counts });
    // What it does now teaches nothing.
    await liveEpoch(agent, 2);
    const fresh = begin(setShape, {}, 2);
    agent.startFrom(fresh.weights);
    const { buffer: remembered, ...networks } = agent.snapshot().arrays;
    const { buffer: _, ...expected } = fresh.snapshot().arrays;
    expect(networks).toEqual(expected);
    expect(remembered?.length).toBeGreaterThanOrEqual(arrays["buffer"]?.length ?? 1);
    expect(remembered?.every(Number.isFinite)).toBe(true);
    await liveEpoch(agent, 3);
    for (const [name, values] of Object.entries(agent.snapshot().arrays)) {
      expect([name, values.every(Number.isFinite)]).toEqual([name, true]);
    }
  });

  it("is the same as without a proximal term when every λ is 0", async () => {
    const free = begin(setShape);
    const drawn = begin(setShape);
    const weights = drawn.weights;
    drawn.proximal = { lambdas: Object.fromEntries(Object.keys(weights).map((name) => [name, 0])), weights };
    await liveEpoch(free, 1);
    await liveEpoch(drawn, 1);
    expect(drawn.proximal).toBeUndefined();
    expect(drawn.snapshot()).toEqual(free.snapshot());
  });

  it("looks at what comes after a state, unless that state is terminal", async () => {
    const learned = async (terminated: boolean, discount: number) => {
      const agent = begin(setShape, { discount });
      await liveEpoch(agent, 1, { terminated });
      return agent.weights;
    };
    expect(await learned(true, 0.9)).toEqual(await learned(true, 0));
    expect(await learned(false, 0.9)).not.toEqual(await learned(false, 0));
    // A discount of 0 sees no more than a terminal state.
    expect(await learned(false, 0)).toEqual(await learned(true, 0));
  });

  it("permuting devices permutes what they do", async () => {
    const agent = begin(setShape);
    await liveEpoch(agent, 1);
    const order = [3, 0, 4, 1, 2];
    const { rows, features, actions } = setShape;
    const permuted = (values: Float32Array, width: number): Float32Array =>
      Float32Array.from({ length: rows * width }, (_, i) => {
        const from = order[Math.floor(i / width)] as number;
        return values[from * width + (i % width)] as number;
      });
    const states = statesOf(setShape);
    const before = actionsIn(agent, states);
    const after = actionsIn(
      agent,
      states.map((state) => permuted(state, features)),
    );
    for (const [i, action] of after.entries()) {
      const expected = permuted(Float32Array.from(before[i] as number[]), actions);
      for (const [k, value] of action.entries()) expect(value).toBeCloseTo(expected[k] as number, 5);
    }
  });

  it.each([3, 40])("weights that were trained for 13 devices run with %d", async (rows) => {
    const trained = begin({ ...setShape, rows: 13 });
    await liveEpoch(trained, 1);
    const other = begin({ ...setShape, rows }, {}, 2);
    other.weights = trained.weights;
    // Devices that are all alike see the same mean, however many they are.
    for (let i = 0; i < 8; i++) {
      const row = [...numbers(setShape.features, "alike", i)];
      const alike = (count: number) => Float32Array.from(Array.from({ length: count }, () => row).flat());
      const [[first = 0, second = 0, third = 0] = []] = actionsIn(trained, [alike(13)]);
      const [action = []] = actionsIn(other, [alike(rows)]);
      for (const [k, value] of action.entries()) {
        expect(value).toBeCloseTo([first, second, third][k % 3] as number, 5);
      }
    }
    await liveEpoch(other, 1);
  });

  it.each(shapes)("%s: explores and acts within its range", (_, shape) => {
    const agent = begin(shape);
    const action = new Float32Array(shape.rows * shape.actions);
    const seen = new Set<number>();
    for (const state of statesOf(shape, 50)) {
      for (const fill of [() => agent.explore(state, action), () => agent.actRandomly(action)]) {
        action.fill(Number.NaN);
        fill();
        for (const value of action) {
          expect(Math.abs(value)).toBeLessThanOrEqual(1);
          seen.add(value);
        }
      }
    }
    expect(seen.size).toBeGreaterThan(3);
  });

  it("acts the same way in a state whatever it was asked before", () => {
    const agent = begin(setShape);
    const states = statesOf(setShape);
    const first = actionsIn(agent, states);
    expect(actionsIn(agent, states.toReversed()).toReversed()).toEqual(first);
  });

  it("has losses of its networks, by the names of their weights", async () => {
    const agent = begin(setShape);
    await liveEpoch(agent, 1, { steps: 6, learnsFrom: 6 });
    const losses = await agent.update();
    for (const [name, loss] of Object.entries({ ...losses, ...(await agent.update()) })) {
      expect(agent.weights).toHaveProperty(name);
      expect(Number.isFinite(loss)).toBe(true);
    }
  });

  it("cannot learn from nothing", async () => {
    await expect(begin(setShape).update()).rejects.toThrow(RangeError);
  });

  it.each([
    ["hidden", 0],
    ["hidden", 1.5],
    ["discount", 1],
    ["discount", -0.1],
    ["learningRate", 0],
    ["learningRate", Number.NaN],
    ["targetShare", 1.1],
    ["batchSize", 0],
    ["bufferCapacity", 0],
  ] as const)("refuses `%s` of %d", (name, value) => {
    expect(() => open(setShape, { [name]: value })).toThrow(`\`${name}\``);
  });

  it("has room for large networks", () => {
    expect(() => open(setShape, { hidden: 256 }).weights).not.toThrow();
  });
});

const bytes = (arrays: Readonly<Record<string, Float32Array>>, name: string): Uint8Array => {
  const { buffer, byteOffset, byteLength } = arrays[name] as Float32Array;
  return new Uint8Array(buffer, byteOffset, byteLength);
};
