import { afterEach, describe, expect, it } from "vitest";
import { flatShape, liveEpoch, numbers, openDqn, setShape } from "./agents.test-helper.ts";
import { offloadingChoices } from "./choices.ts";
import { type Dqn, type DqnSettings, dqnShape, dqnUpdate } from "./dqn.ts";
import { input } from "./graph/expression.ts";
import { onnxEngine } from "./graph/onnx-engine.ts";
import { parameters, weightsIn } from "./graph/parameters.ts";
import { network, networkLayout, type Rows } from "./network.ts";
import { TrainedNetworks } from "./trained-networks.ts";

const opened: Dqn[] = [];
const begin = (...parameters: Parameters<typeof openDqn>): Dqn => {
  const agent = openDqn(...parameters);
  opened.push(agent);
  return agent;
};
afterEach(async () => {
  for (const agent of opened.splice(0)) await agent.close();
});

const choices = offloadingChoices(3);
/** Two choices of one number, as for a cart that is pushed. */
const cart: Rows = { rows: 1, features: 4, actions: 1, values: 1 };
const pushes = { choices: [[-1], [1]] };

describe.each([
  ["a row for each device", setShape, 5, 1],
  ["one row for the community", flatShape, 1, 2],
] as const)("%s", (_, shape, rows, heads) => {
  it("takes, of each head, the choice that its graph values most", async () => {
    const agent = begin(shape);
    await liveEpoch(agent, 1);
    const layout = networkLayout(dqnShape(shape, agent.settings));
    const weights = weightsIn(parameters("critic", layout), layout);
    const states = input("states", [shape.rows, shape.features]);
    const program = await onnxEngine.open("critic", { values: network(weights, states, shape.rows) });
    for (let i = 0; i < 20; i++) {
      const state = numbers(shape.rows * shape.features, "act", i);
      const action = new Float32Array(shape.rows * shape.actions);
      agent.act(state, action);
      const { values = [] } = await program.run({ critic: agent.weights["critic"] as Float32Array, states: state });
      for (let head = 0; head < rows * heads; head++) {
        const own = [...values].slice(head * choices.length, (head + 1) * choices.length);
        const best = choices[own.indexOf(Math.max(...own))] as readonly number[];
        const row = Math.floor(head / heads);
        const taken = [0, 1, 2].map((number) => action[row * shape.actions + number * heads + (head % heads)]);
        expect(taken).toEqual(best.map(Math.fround));
      }
    }
    await program.close();
  });

  it("explores with choices only, each of them", () => {
    const agent = begin(shape, { explorationStart: 1 });
    const action = new Float32Array(shape.rows * shape.actions);
    const seen = new Set<string>();
    for (let i = 0; i < 40; i++) {
      agent.explore(numbers(shape.rows * shape.features, "explored", i), action);
      for (let head = 0; head < rows * heads; head++) {
        const at = Math.floor(head / heads) * shape.actions + (head % heads);
        seen.add([0, 1, 2].map((number) => action[at + number * heads]).join());
      }
    }
    expect([...seen].sort()).toEqual(choices.map((choice) => choice.map(Math.fround).join()).sort());
  });

  it("remembers the index of each head's choice, of any action the nearest one's", () => {
    const agent = begin(shape);
    const size = shape.rows * shape.actions;
    const stored = (action: Float32Array): number[] => {
      const { pushed } = agent.buffer.snapshot();
      const state = new Float32Array(shape.rows * shape.features);
      agent.store({
        state,
        action,
        reward: new Float32Array(shape.rows * shape.values),
        next: state,
        terminated: false,
      });
      const { data } = agent.buffer.snapshot();
      const width = 2 * shape.features + heads + shape.values + 1;
      return Array.from({ length: rows * heads }, (_, head) => {
        const line = pushed * rows + Math.floor(head / heads);
        return data[line * width + shape.features + (head % heads)] as number;
      });
    };
    const action = new Float32Array(size);
    agent.actRandomly(action);
    const indices = stored(action);
    expect(stored(action.map((value) => 0.9 * value + 0.01))).toEqual(indices);
    expect(stored(new Float32Array(size).fill(-1))).toEqual(indices.map(() => 0));
    expect(stored(new Float32Array(size).fill(1))).toEqual(indices.map(() => 3));
  });
});

/** One update of a network without hidden units that matter: its values are its last biases. */
const updated = async (
  {
    values,
    target,
    transitions,
  }: {
    readonly values: readonly number[];
    readonly target: readonly number[];
    /** Index of the choice, reward, and 0 after which nothing comes. */
    readonly transitions: readonly (readonly [choice: number, reward: number, continues: number])[];
  },
  change: Partial<DqnSettings> = {},
) => {
  const shape: Rows = { rows: 1, features: 1, actions: 1, values: 1 };
  const discount = 0.5;
  const settings = { ...begin(shape, pushes).settings, hidden: 1, batchSize: transitions.length, discount, ...change };
  const withBias = (bias: readonly number[]): Float32Array =>
    Float32Array.of(0, 0, 0, 0, ...bias.map(() => 0), ...bias);
  const networks = new TrainedNetworks({ critic: withBias(values) });
  const program = await onnxEngine.open("dqn", dqnUpdate(shape, settings, true));
  const batch = Float32Array.from(
    transitions.flatMap(([choice, reward, continues]) => [0, choice, reward, 0, continues]),
  );
  const results = await program.run({ ...networks.feeds(), criticTarget: withBias(target), batch });
  await program.close();
  // Adam's mean gradient is 0.1 of its first one.
  const gradient = [...(results["criticFirstNext"] as Float32Array)].slice(-values.length).map((mean) => 10 * mean);
  return { loss: results["criticLoss"]?.[0], gradient };
};

describe("an update", () => {
  it("compares the value of what was chosen with r + γ max Q', and with r after a terminal state", async () => {
    // Targets 0.1 + 0.5 · 0.8 = 0.5 and 0.1.
    const case1 = { values: [0.2, 0.9], target: [0.8, 0.4], transitions: [[0, 0.1, 1]] } as const;
    const { loss, gradient } = await updated(case1);
    expect(loss).toBeCloseTo(0.3 ** 2 / 2, 6);
    expect(gradient[0]).toBeCloseTo(-0.3, 6);
    expect(gradient[1]).toBe(0);
    const after = await updated({ ...case1, transitions: [[1, 0.1, 0]] });
    expect(after.loss).toBeCloseTo(0.8 ** 2 / 2, 6);
    expect(after.gradient[0]).toBe(0);
    expect(after.gradient[1]).toBeCloseTo(0.8, 6);
  });

  it("of several transitions takes the mean", async () => {
    const { loss, gradient } = await updated({
      values: [0.2, 0.9],
      target: [0.8, 0.4],
      transitions: [
        [0, 0.1, 1],
        [1, 0.1, 0],
      ],
    });
    expect(loss).toBeCloseTo((0.3 ** 2 / 2 + 0.8 ** 2 / 2) / 2, 6);
    expect(gradient[0]).toBeCloseTo(-0.15, 6);
    expect(gradient[1]).toBeCloseTo(0.4, 6);
  });

  it.each([
    [-5, -1, 4.5],
    [5, 1, 4.5],
    [-1, -1, 0.5],
    [0.5, 0.5, 0.125],
  ])("of an error of %d has a gradient of %d and a loss of %d: Huber's", async (error, slope, expected) => {
    const { loss, gradient } = await updated({ values: [error, 0], target: [0, 0], transitions: [[0, 0, 0]] });
    expect(loss).toBeCloseTo(expected, 5);
    expect(gradient[0]).toBeCloseTo(slope, 5);
  });

  it("of double Q-learning values by the target what the network chooses", async () => {
    const transition = { values: [0.2, 0.9], target: [0.8, 0.4], transitions: [[0, 0.1, 1]] } as const;
    const { gradient } = await updated(transition, { double: true });
    expect(gradient[0]).toBeCloseTo(0.2 - (0.1 + 0.5 * 0.4), 6);
    const equal = await updated({ ...transition, values: [0.2, 0.2] }, { double: true });
    expect(equal.gradient[0]).toBeCloseTo(0.2 - (0.1 + 0.5 * 0.6), 6);
  });
});

it("pays each head its own reward, or all of them a single one", async () => {
  const learned = async (shape: Rows, reward: readonly number[]) => {
    const agent = begin(shape, { discount: 0 });
    const state = numbers(flatShape.features, "state");
    const action = new Float32Array(flatShape.actions).fill(-1);
    for (let i = 0; i < 4; i++) {
      agent.store({ state, action, reward: Float32Array.from(reward), next: state, terminated: false });
    }
    await agent.update();
    return agent.weights["critic"] as Float32Array;
  };
  const team = { ...flatShape, values: 1 };
  expect(await learned(flatShape, [0.3, 0.3])).toEqual(await learned(team, [0.3]));
  const [even, odd] = [await learned(flatShape, [0.3, 0.3]), await learned(flatShape, [0.3, -9])];
  // The last biases are those of the values, in the order of the heads.
  expect(odd.subarray(-8, -4)).toEqual(even.subarray(-8, -4));
  expect(odd.subarray(-4)).not.toEqual(even.subarray(-4));
});

it("copies the network into the target when it is its turn, and leaves it alone in between", async () => {
  const agent = begin(setShape, { targetShare: 1, updateTargetEvery: 3 });
  await liveEpoch(agent, 1, { steps: 5, learnsFrom: 5 });
  let before = agent.snapshot().arrays["criticTarget"];
  for (let update = 1; update <= 6; update++) {
    await agent.update();
    const { critic, criticTarget } = agent.snapshot().arrays;
    expect(criticTarget).toEqual(update % 3 === 0 ? critic : before);
    before = criticTarget;
  }
});

it("learns at a rate that falls by the same amount with each update, to its end", async () => {
  // The same gradient each time: Adam's steps are as long as the learning rate.
  const settings = { learningRate: 0.1, learningRateEnd: 0.2, learningRateSteps: 4, discount: 0, hidden: 1 };
  const agent = begin(cart, { ...pushes, ...settings });
  const state = new Float32Array(4);
  agent.store({ state, action: Float32Array.of(-1), reward: Float32Array.of(1000), next: state, terminated: true });
  const firstBiasOfValues = (): number => agent.weights["critic"]?.at(-2) as number;
  let before = firstBiasOfValues();
  for (const rate of [0.1, 0.08, 0.06, 0.04, 0.02, 0.02]) {
    await agent.update();
    expect(firstBiasOfValues() - before).toBeCloseTo(rate, 5);
    before = firstBiasOfValues();
  }
});

describe("exploration", () => {
  it("falls by the same amount with each state to its end, and goes on from a snapshot", () => {
    const settings = { ...pushes, explorationStart: 0.9, explorationEnd: 0.1, explorationSteps: 4 };
    const agent = begin(cart, settings);
    const action = new Float32Array(1);
    const seen = Array.from({ length: 6 }, () => {
      const probability = agent.randomChoiceProbability;
      agent.explore(numbers(4, "explored"), action);
      return probability;
    });
    for (const [i, probability] of [0.9, 0.7, 0.5, 0.3, 0.1, 0.1].entries()) expect(seen[i]).toBeCloseTo(probability);
    const other = begin(cart, settings);
    other.restore(agent.snapshot());
    expect(other.randomChoiceProbability).toBe(agent.randomChoiceProbability);
  });

  it("of 0 takes the best", () => {
    const agent = begin(cart, { ...pushes, explorationStart: 0, explorationEnd: 0 });
    const [best, explored] = [new Float32Array(1), new Float32Array(1)];
    for (let i = 0; i < 20; i++) {
      const state = numbers(4, "explored", i);
      agent.act(state, best);
      agent.explore(state, explored);
      expect(explored).toEqual(best);
    }
  });
});

it("refuses choices that do not fit its actions, or are none", () => {
  expect(() => openDqn(cart, { choices: [[1]] })).toThrow(RangeError);
  expect(() => openDqn(cart, { choices: [[1], [1, 2]] })).toThrow(RangeError);
  expect(() => openDqn({ ...flatShape, actions: 7 })).toThrow(RangeError);
  expect(() => openDqn({ ...flatShape, values: 3 })).toThrow(RangeError);
});

it.each([
  ["updateTargetEvery", 0],
  ["learningRateEnd", 1.1],
  ["learningRateSteps", 0],
  ["explorationStart", 1.1],
  ["explorationEnd", -0.1],
  ["explorationSteps", 0],
] as const)("refuses `%s` of %d", (name, value) => {
  expect(() => openDqn(setShape, { [name]: value })).toThrow(`\`${name}\``);
});

it("has no proximal term, and says so", () => {
  const agent = begin(setShape);
  expect(() => {
    agent.proximal = { lambdas: { critic: 0.1 }, weights: agent.weights };
  }).toThrow(RangeError);
});
