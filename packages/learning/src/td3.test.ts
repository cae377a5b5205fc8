import { afterEach, describe, expect, it } from "vitest";
import { flatShape, liveEpoch, numbers, openTd3, setShape } from "./agents.test-helper.ts";
import { type Expression, gradients, input, sum } from "./graph/expression.ts";
import { onnxEngine } from "./graph/onnx-engine.ts";
import { layoutSize, parameters, weightsIn } from "./graph/parameters.ts";
import type { Values } from "./graph/program.ts";
import { actor, Forward, networkLayout, type Rows } from "./network.ts";
import { criticLosses, type Td3, type Td3Settings, targetAction, targetValue, td3Shapes } from "./td3.ts";

const opened: Td3[] = [];
const begin = (...parameters: Parameters<typeof openTd3>): Td3 => {
  const agent = openTd3(...parameters);
  opened.push(agent);
  return agent;
};
afterEach(async () => {
  for (const agent of opened.splice(0)) await agent.close();
});

const evaluated = async (outputs: Record<string, Expression>, feeds: Values): Promise<Record<string, number[]>> => {
  const program = await onnxEngine.open("test", outputs);
  const results = await program.run(feeds);
  const plain = Object.fromEntries(Object.entries(results).map(([name, values]) => [name, [...values]]));
  await program.close();
  return plain;
};
const expectClose = (got: ArrayLike<number> | undefined, expected: ArrayLike<number>, digits = 5): void => {
  expect(got).toHaveLength(expected.length);
  for (let i = 0; i < expected.length; i++) expect(got?.[i]).toBeCloseTo(expected[i] as number, digits);
};

/** Weights of a network of one unit, tanh(2 · relu(relu(x))) of one input. */
const layout = networkLayout({ inputs: 1, hidden: 1, outputs: 1, pooled: false });
const doubling = Float32Array.of(1, 0, 1, 0, 2, 0);

it("Eq. (21) is the target actor's action with noise, clipped to the action's range", async () => {
  const states = [0, 0.1, 0.3, 1, 0];
  const noise = [0.2, -0.5, 0.5, 0.5, -0.5];
  const action = targetAction(
    weightsIn(parameters("actor", layout), layout),
    input("s", [5, 1]),
    input("e", [5, 1]),
    1,
  );
  const { a } = await evaluated(
    { a: action },
    { actor: doubling, s: Float32Array.from(states), e: Float32Array.from(noise) },
  );
  const sums = states.map((state, i) => Math.tanh(2 * state) + (noise[i] as number));
  expectClose(
    a,
    sums.map((value) => Math.min(value, 1)),
  );
  expect(a?.[3]).toBe(1);
});

describe("Eq. (22)", () => {
  const rewards = [1, -2, 0.5];
  const first = [10, 20, -30];
  const second = [12, 18, -31];
  const target = (continues: readonly number[], discount = 0.9) =>
    evaluated(
      { y: targetValue(input("r", [3, 1]), input("q", [2, 3, 1]), input("continues", [3, 1]), discount) },
      {
        r: Float32Array.from(rewards),
        q: Float32Array.of(...first, ...second),
        continues: Float32Array.from(continues),
      },
    );

  it("Eq. (22) adds the discounted smaller value of both critics to the reward", async () => {
    const { y } = await target([1, 1, 1]);
    expectClose(y, [1 + 0.9 * 10, -2 + 0.9 * 18, 0.5 + 0.9 * -31]);
  });

  it("Eq. (22) is the reward alone after a terminal state", async () => {
    expect((await target([0, 0, 0]))["y"]).toEqual(rewards);
  });

  it("Eq. (22) is taken as given: no gradient flows into what it is computed from", async () => {
    const q = input("q", [2, 3, 1]);
    const y = targetValue(input("r", [3, 1]), q, input("continues", [3, 1]), 0.9);
    const [gradient] = gradients(sum(y), [q]) as [Expression];
    const { g } = await evaluated(
      { g: gradient },
      { q: numbers(6, "q"), r: numbers(3, "r"), continues: Float32Array.of(1, 1, 1) },
    );
    expect(g).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

it("Eq. (23) is the mean squared error of each critic", async () => {
  const { losses } = await evaluated(
    { losses: criticLosses(input("q", [2, 4, 1]), input("y", [4, 1])) },
    { q: Float32Array.of(1, 2, 3, 4, 0, 0, 0, 0), y: Float32Array.of(1, 1, 1, 1) },
  );
  expectClose(losses, [(0 + 1 + 4 + 9) / 4, 1]);
});

describe("Eq. (23)'s proximal term", () => {
  /** One update of two equal agents, one of them drawn to other weights. */
  const updated = async (lambdas: Readonly<Record<string, number>>, settings: Partial<Td3Settings> = {}) => {
    const live = async (drawn: boolean) => {
      const agent = begin(setShape, { updateActorEvery: 1, ...settings });
      if (drawn) agent.proximal = { lambdas, weights: begin(setShape, {}, 2).weights };
      const before = agent.weights;
      await liveEpoch(agent, 1, { steps: 6, learnsFrom: 5 });
      return { before, after: agent.weights, arrays: agent.snapshot().arrays };
    };
    return { free: await live(false), drawn: await live(true), global: begin(setShape, {}, 2).weights };
  };
  const difference = (a: Float32Array | undefined, b: Float32Array | undefined): number[] =>
    [...(a ?? [])].map((value, i) => value - (b?.[i] as number));

  it.each([
    ["critic1", "criticsFirst", 0],
    ["critic2", "criticsFirst", 1],
    ["actor", "actorFirst", 0],
  ] as const)("Eq. (23) adds λ (θ − θ_f) to the gradient of %s, and to no other", async (name, moment, place) => {
    const lambda = 0.5;
    const { free, drawn, global } = await updated({ [name]: lambda });
    const own = free.before[name] as Float32Array;
    // After its first step, Adam's mean gradient is 0.1 of the gradient.
    const added = difference(drawn.arrays[moment], free.arrays[moment]).slice(place * own.length);
    expectClose(
      added.slice(0, own.length),
      difference(own, global[name]).map((part) => 0.1 * lambda * part),
      6,
    );
    for (const other of ["critic1", "critic2"].filter((critic) => critic !== name)) {
      expect(drawn.after[other]).toEqual(free.after[other]);
    }
  });

  it("Eq. (23) takes every weight nearer to the global ones when λ outweighs the losses", async () => {
    const lambda = 1e6;
    const { drawn, global } = await updated({ critic1: lambda, critic2: lambda, actor: lambda });
    for (const name of Object.keys(global)) {
      const before = difference(drawn.before[name], global[name]);
      const after = difference(drawn.after[name], global[name]);
      // Steps of Adam are as long as the learning rate.
      for (const [i, distance] of before.entries()) {
        if (Math.abs(distance) > 1e-3) expect(Math.abs(after[i] as number)).toBeLessThan(Math.abs(distance));
      }
    }
  });

  it("Eq. (23) draws nothing at the global weights themselves", async () => {
    const free = begin(setShape);
    const drawn = begin(setShape);
    drawn.proximal = { lambdas: { critic1: 1, critic2: 1, actor: 1 }, weights: drawn.weights };
    for (const agent of [free, drawn]) await liveEpoch(agent, 1, { steps: 6, learnsFrom: 5 });
    expect(drawn.weights).toEqual(free.weights);
    for (const agent of [free, drawn]) await liveEpoch(agent, 2);
    expect(drawn.weights).not.toEqual(free.weights);
  });

  it("keeps the global weights that it was given, whatever becomes of their array", async () => {
    const [first, second] = [begin(setShape), begin(setShape)];
    const lambdas = { critic1: 0.1, critic2: 0.1, actor: 0.1 };
    const weights = begin(setShape, {}, 2).weights;
    first.proximal = { lambdas, weights: structuredClone(weights) };
    second.proximal = { lambdas, weights };
    for (const values of Object.values(weights)) values.fill(7);
    for (const agent of [first, second]) await liveEpoch(agent, 1);
    expect(second.snapshot()).toEqual(first.snapshot());
  });

  it("is gone when it is taken back", async () => {
    const [free, drawn] = [begin(setShape), begin(setShape)];
    drawn.proximal = { lambdas: { actor: 1 }, weights: begin(setShape, {}, 2).weights };
    drawn.proximal = undefined;
    for (const agent of [free, drawn]) await liveEpoch(agent, 1);
    expect(drawn.snapshot()).toEqual(free.snapshot());
  });

  it("is not part of the losses that are reported", async () => {
    const [free, drawn] = [begin(setShape), begin(setShape)];
    drawn.proximal = { lambdas: { critic1: 5, critic2: 5, actor: 5 }, weights: begin(setShape, {}, 2).weights };
    for (const agent of [free, drawn]) await liveEpoch(agent, 1, { steps: 6, learnsFrom: 6 });
    expect(await drawn.update()).toEqual(await free.update());
  });
});

it.each([
  ["a row for each device", setShape],
  ["one row for the community", flatShape],
] as const)("%s: acts as its actor's graph does", async (_, shape: Rows) => {
  const agent = begin(shape);
  await liveEpoch(agent, 1);
  const actorLayout = networkLayout(td3Shapes(shape, agent.settings).actor);
  const flat = parameters("actor", actorLayout);
  const state = numbers(shape.rows * shape.features, "act");
  const action = new Float32Array(shape.rows * shape.actions);
  agent.act(state, action);
  const states = input("states", [shape.rows, shape.features]);
  const { actions } = await evaluated(
    { actions: actor(weightsIn(flat, actorLayout), states, shape.rows) },
    { actor: agent.weights["actor"] as Float32Array, states: state },
  );
  expectClose(action, actions as number[]);
});

it("permuting devices permutes values", () => {
  const { rows, features, actions } = setShape;
  const agent = begin(setShape);
  const { critic } = td3Shapes(setShape, agent.settings);
  const values = (x: Float32Array): Float32Array => {
    const y = new Float32Array(rows);
    new Forward(critic, rows).run(agent.weights["critic1"] as Float32Array, x, y);
    return y;
  };
  const width = features + actions;
  const x = numbers(rows * width, "critic");
  const order = [3, 0, 4, 1, 2];
  const permuted = Float32Array.from(order.flatMap((row) => [...x.subarray(row * width, (row + 1) * width)]));
  const before = values(x);
  expectClose(
    values(permuted),
    order.map((row) => before[row] as number),
  );
});

it("Alg. 1, line 17: the actor and the targets change with every f_a-th update", async () => {
  const agent = begin(setShape, { updateActorEvery: 3 });
  await liveEpoch(agent, 1, { steps: 5, learnsFrom: 5 });
  const turns: boolean[] = [];
  for (let update = 1; update <= 6; update++) {
    const before = agent.snapshot().arrays;
    const losses = await agent.update();
    const after = agent.snapshot().arrays;
    const changes = (name: string): boolean => String(before[name]) !== String(after[name]);
    expect(changes("critics")).toBe(true);
    expect(["actorTarget", "criticsTarget"].map(changes)).toEqual([changes("actor"), changes("actor")]);
    expect("actor" in losses).toBe(changes("actor"));
    turns.push(changes("actor"));
  }
  expect(turns).toEqual([false, false, true, false, false, true]);
});

it("Alg. 1, line 17, to the letter: the actor has its turn in all updates of an f_a-th epoch, and in none of another", async () => {
  const agent = begin(setShape, { updateActorEvery: 2, actorTurns: "epochs" });
  await liveEpoch(agent, 1, { steps: 5, learnsFrom: 5 });
  const turns: boolean[][] = [];
  for (const epoch of [1, 2, 3, 4]) {
    agent.beginEpoch(epoch);
    turns.push(["actor" in (await agent.update()), "actor" in (await agent.update())]);
  }
  expect(turns).toEqual([
    [false, false],
    [true, true],
    [false, false],
    [true, true],
  ]);
});

it("Alg. 1, line 19: a share of 1 copies the networks into the targets, 0 keeps the targets", async () => {
  const copying = begin(setShape, { targetShare: 1, updateActorEvery: 1 });
  const keeping = begin(setShape, { targetShare: 0, updateActorEvery: 1 });
  const { critics, actor: policy } = keeping.snapshot().arrays;
  for (const agent of [copying, keeping]) await liveEpoch(agent, 1);
  const copied = copying.snapshot().arrays;
  expect(copied["criticsTarget"]).toEqual(copied["critics"]);
  expect(copied["actorTarget"]).toEqual(copied["actor"]);
  expect(copied["actor"]).not.toEqual(policy);
  const kept = keeping.snapshot().arrays;
  expect(kept["criticsTarget"]).toEqual(critics);
  expect(kept["actorTarget"]).toEqual(policy);
});

it("Alg. 1, line 19: mixes ρ of the networks into the targets", async () => {
  const agent = begin(setShape, { targetShare: 0.3, updateActorEvery: 1 });
  const before = agent.snapshot().arrays["actorTarget"] as Float32Array;
  await liveEpoch(agent, 1, { steps: 6, learnsFrom: 5 });
  const { actor: policy = [], actorTarget } = agent.snapshot().arrays;
  expectClose(
    actorTarget,
    [...policy].map((weight, i) => 0.3 * weight + 0.7 * (before[i] as number)),
    6,
  );
});

it("both critics begin apart, and each is its own", () => {
  const { critic1, critic2 } = begin(setShape).weights;
  expect(critic1).not.toEqual(critic2);
  const { critic } = td3Shapes(setShape, begin(setShape).settings);
  expect(critic1).toHaveLength(layoutSize(networkLayout(critic)));
});

it.each([
  ["updateActorEvery", 0],
  ["targetNoise", -1],
  ["actionNoise", Number.NaN],
  ["noiseClip", -1],
  ["randomActionProbability", 1.1],
] as const)("refuses `%s` of %d", (name, value) => {
  expect(() => openTd3(setShape, { [name]: value })).toThrow(`\`${name}\``);
});

it("refuses to be drawn to weights of other networks", () => {
  const agent = begin(setShape);
  const { weights } = begin(setShape, { hidden: 9 });
  expect(() => {
    agent.proximal = { lambdas: { actor: 1 }, weights };
  }).toThrow(RangeError);
  expect(agent.proximal).toBeUndefined();
});
