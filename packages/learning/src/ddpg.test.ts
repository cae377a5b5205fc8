import { afterEach, expect, it } from "vitest";
import { flatShape, liveEpoch, numbers, openDdpg, setShape } from "./agents.test-helper.ts";
import { type Ddpg, ddpgShapes, ddpgUpdate } from "./ddpg.ts";
import { input } from "./graph/expression.ts";
import { onnxEngine } from "./graph/onnx-engine.ts";
import { parameters, weightsIn } from "./graph/parameters.ts";
import { actor, Forward, networkLayout, type Rows } from "./network.ts";
import { transitionWidth } from "./replay-buffer.ts";
import { TrainedNetworks } from "./trained-networks.ts";

const opened: Ddpg[] = [];
const begin = (...parameters: Parameters<typeof openDdpg>): Ddpg => {
  const agent = openDdpg(...parameters);
  opened.push(agent);
  return agent;
};
afterEach(async () => {
  for (const agent of opened.splice(0)) await agent.close();
});

it.each([
  ["a row for each device", setShape],
  ["one row for the community", flatShape],
] as const)("%s: acts as its actor's graph does", async (_, shape: Rows) => {
  const agent = begin(shape);
  await liveEpoch(agent, 1);
  const layout = networkLayout(ddpgShapes(shape, agent.settings).actor);
  const state = numbers(shape.rows * shape.features, "act");
  const action = new Float32Array(shape.rows * shape.actions);
  agent.act(state, action);
  const states = input("states", [shape.rows, shape.features]);
  const weights = weightsIn(parameters("actor", layout), layout);
  const program = await onnxEngine.open("actor", { actions: actor(weights, states, shape.rows) });
  const { actions } = await program.run({ actor: agent.weights["actor"] as Float32Array, states: state });
  await program.close();
  for (const [i, value] of action.entries()) expect(value).toBeCloseTo(actions?.[i] as number, 5);
});

it("its losses are the critic's error against r + γ Q'(s', μ'(s')), and what the actor's actions are not worth", async () => {
  const agent = begin(setShape);
  const { settings } = agent;
  const { rows, features, actions } = setShape;
  const shapes = ddpgShapes(setShape, settings);
  const { critic, actor: policy } = agent.weights as { critic: Float32Array; actor: Float32Array };
  const other = begin(setShape, {}, 2).weights as { critic: Float32Array; actor: Float32Array };
  const networks = new TrainedNetworks({ critic, actor: policy });
  const width = transitionWidth(setShape);
  const batch = numbers(settings.batchSize * rows * width, "batch");
  for (let i = width - 1; i < batch.length; i += width) batch[i] = i % 2;

  const program = await onnxEngine.open("ddpg", ddpgUpdate(setShape, settings));
  const results = await program.run({
    ...networks.feeds(),
    criticTarget: other.critic,
    actorTarget: other.actor,
    batch,
  });
  await program.close();

  // The same in plain JavaScript, a state at a time.
  const run = (shape: (typeof shapes)["actor"], weights: Float32Array, x: number[][]): number[][] => {
    const y = new Float32Array(rows * shape.outputs);
    new Forward(shape, rows).run(weights, Float32Array.from(x.flat()), y);
    return x.map((_, row) => [...y.subarray(row * shape.outputs, (row + 1) * shape.outputs)]);
  };
  const acted = (weights: Float32Array, states: number[][]): number[][] =>
    run(shapes.actor, weights, states).map((row) => row.map(Math.tanh));
  const beside = (states: number[][], taken: number[][]): number[][] =>
    states.map((state, row) => [...state, ...(taken[row] as number[])]);
  let error = 0;
  let worth = 0;
  let saturation = 0;
  for (let i = 0; i < settings.batchSize; i++) {
    const lines = Array.from({ length: rows }, (_, row) => [
      ...batch.subarray((i * rows + row) * width, (i * rows + row + 1) * width),
    ]);
    const part = (start: number, count: number): number[][] => lines.map((line) => line.slice(start, start + count));
    const next = part(features + actions + 1, features);
    const nextValues = run(shapes.critic, other.critic, beside(next, acted(other.actor, next)));
    const values = run(shapes.critic, critic, part(0, features + actions));
    const states = part(0, features);
    const outputs = run(shapes.actor, policy, states).flat();
    saturation += outputs.reduce((sum, z) => sum + z ** 2, 0) / (settings.batchSize * rows * actions);
    const own = run(shapes.critic, results["criticNext"] as Float32Array, beside(states, acted(policy, states)));
    for (const [row, line] of lines.entries()) {
      const [reward = 0, continues = 0] = [line[features + actions], line[width - 1]];
      const target = reward + settings.discount * continues * (nextValues[row]?.[0] as number);
      error += (target - (values[row]?.[0] as number)) ** 2 / (settings.batchSize * rows);
      worth += (own[row]?.[0] as number) / (settings.batchSize * rows);
    }
  }
  expect(results["criticLoss"]?.[0]).toBeCloseTo(error, 4);
  expect(results["actorLoss"]?.[0]).toBeCloseTo(-worth + settings.saturationPenalty * saturation, 4);
});

it("every update changes the actor and both targets; a share of 1 copies them", async () => {
  const agent = begin(setShape, { targetShare: 1 });
  await liveEpoch(agent, 1, { steps: 5, learnsFrom: 5 });
  for (let update = 0; update < 3; update++) {
    const before = agent.snapshot().arrays;
    const losses = await agent.update();
    const after = agent.snapshot().arrays;
    expect(Object.keys(losses)).toEqual(["critic", "actor"]);
    for (const name of ["critic", "actor"]) {
      expect(after[name]).not.toEqual(before[name]);
      expect(after[`${name}Target`]).toEqual(after[name]);
    }
  }
});

it("has no proximal term, and says so", () => {
  const agent = begin(setShape);
  expect(() => {
    agent.proximal = { lambdas: { actor: 0.1 }, weights: agent.weights };
  }).toThrow(RangeError);
  expect(agent.proximal).toBeUndefined();
});
