import { expect, test } from "vitest";
import { adamCorrection, adamDefaults, adamStep } from "./adam.ts";
import {
  add,
  clip,
  concat,
  type Expression,
  gradients,
  input,
  matmul,
  mean,
  minimum,
  multiply,
  relu,
  reshape,
  slice,
  square,
  stopGradient,
  subtract,
  tanh,
} from "./expression.ts";
import { onnxEngine } from "./onnx-engine.ts";
import { flattened, layoutSize, parameters, type Weights, weightsIn } from "./parameters.ts";
import type { Engine, Values } from "./program.ts";
import { tfjsEngine } from "./tfjs-engine.ts";
import { expectClose, spread } from "./values.test-helper.ts";

// Both engines learn the same: their weights stay together over many updates.

const updates = 50;
const adam = { ...adamDefaults, learningRate: 0.01 };
const correction = { first: input("firstCorrection", [1]), second: input("secondCorrection", [1]) };

/** Adam's step of flat weights, as outputs `NAMENext`, `NAMEFirstNext` and `NAMESecondNext`. */
const step = (name: string, weights: Expression, gradient: Expression): Record<string, Expression> => {
  const state = {
    weights,
    first: input(`${name}First`, weights.shape),
    second: input(`${name}Second`, weights.shape),
  };
  const next = adamStep(state, gradient, correction, adam);
  return { [`${name}Next`]: next.weights, [`${name}FirstNext`]: next.first, [`${name}SecondNext`]: next.second };
};

/** Runs updates, each with other data; what an update calls `xNext` is the next one's `x`. */
const learned = async (
  engine: Engine,
  outputs: Record<string, Expression>,
  start: Values,
  data: (update: number) => Values,
): Promise<Values[]> => {
  const program = await engine.open("learning", outputs);
  let state = start;
  const results: Values[] = [];
  for (let update = 1; update <= updates; update += 1) {
    const [firstCorrection, secondCorrection] = adamCorrection(update, adam);
    const result = await program.run({
      ...state,
      ...data(update),
      firstCorrection: Float32Array.of(firstCorrection),
      secondCorrection: Float32Array.of(secondCorrection),
    });
    state = Object.fromEntries(Object.keys(start).map((name) => [name, result[`${name}Next`] as Float32Array]));
    results.push(result);
  }
  await program.close();
  return results;
};

const layer = (weights: Weights, i: number, x: Expression): Expression =>
  add(matmul(x, weights[`weights${i}`] as Expression), weights[`bias${i}`] as Expression);
const twoLayers = (weights: Weights, x: Expression): Expression => layer(weights, 1, relu(layer(weights, 0, x)));
const layout = (inputs: number, hidden: number, outputs: number) => ({
  weights0: [inputs, hidden],
  bias0: [1, hidden],
  weights1: [hidden, outputs],
  bias1: [1, outputs],
});
const values = (size: number, bound: number, stream: number): Float32Array =>
  Float32Array.from(spread(size, -bound, bound, stream));

test("a regression of two layers", async () => {
  const network = layout(3, 8, 2);
  const size = layoutSize(network);
  const flat = parameters("weights", network);
  const weights = weightsIn(flat, network);
  const x = input("x", [16, 3]);
  const target = tanh(concat([matmul(x, input("map", [3, 1])), slice(x, 1, 0, 1)], 1));
  const loss = mean(square(subtract(twoLayers(weights, x), target)));
  const gradient = flattened(gradients(loss, Object.values(weights)));
  const outputs = { loss, ...step("weights", flat, gradient) };
  const start = {
    weights: values(size, 0.6, 1),
    weightsFirst: new Float32Array(size),
    weightsSecond: new Float32Array(size),
  };
  const data = (update: number) => ({ x: values(48, 1, update), map: Float32Array.of(1, -0.5, 0.25) });
  const [onnx, tfjs] = await Promise.all(
    [onnxEngine, tfjsEngine].map((engine) => learned(engine, outputs, start, data)),
  );
  for (const [i, result] of (onnx ?? []).entries()) {
    expectClose(tfjs?.[i] as Values, result, { relative: 1e-4, absolute: 1e-6 });
  }
  expect(onnx?.at(-1)?.["loss"]?.[0]).toBeLessThan(0.5 * (onnx?.[0]?.["loss"]?.[0] as number));
});

test("two critics and an actor, with targets that follow them", async () => {
  const [features, actions, hidden, batch] = [4, 2, 8, 16];
  const [criticLayout, actorLayout] = [layout(features + actions, hidden, 1), layout(features, hidden, actions)];
  const critics = parameters("critics", criticLayout, 2);
  const policy = parameters("actor", actorLayout);
  const targets = { critics: input("criticsTarget", critics.shape), actor: input("actorTarget", policy.shape) };
  const states = input("states", [batch, features]);
  const next = input("next", [batch, features]);
  const act = (flat: Expression, x: Expression) => tanh(twoLayers(weightsIn(flat, actorLayout), x));

  const nextActions = clip(add(act(targets.actor, next), input("noise", [batch, actions])), -0.9, 0.9);
  const nextValues = twoLayers(weightsIn(targets.critics, criticLayout), concat([next, nextActions], 1));
  const worst = minimum(slice(nextValues, 0, 0, 1), slice(nextValues, 0, 1, 2));
  const expected = stopGradient(add(input("rewards", [1, batch, 1]), multiply(worst, 0.95)));
  const criticWeights = weightsIn(critics, criticLayout);
  const guesses = twoLayers(criticWeights, concat([states, input("actions", [batch, actions])], 1));
  const criticLoss = mean(square(subtract(guesses, expected)));
  const criticStep = step("critics", critics, flattened(gradients(criticLoss, Object.values(criticWeights)), 1));
  const nextCritics = criticStep["criticsNext"] as Expression;

  const actorWeights = weightsIn(policy, actorLayout);
  const first = reshape(slice(nextCritics, 0, 0, 1), [layoutSize(criticLayout)]);
  const own = tanh(twoLayers(actorWeights, states));
  const actorLoss = multiply(mean(twoLayers(weightsIn(first, criticLayout), concat([states, own], 1))), -1);
  const actorStep = step("actor", policy, flattened(gradients(actorLoss, Object.values(actorWeights))));
  const mixed = (weights: Expression, target: Expression) => add(multiply(weights, 0.05), multiply(target, 0.95));
  const outputs = {
    ...criticStep,
    ...actorStep,
    criticsTargetNext: mixed(nextCritics, targets.critics),
    actorTargetNext: mixed(actorStep["actorNext"] as Expression, targets.actor),
    criticLoss,
    actorLoss,
  };

  const start = {
    critics: values(critics.size, 0.5, 1),
    criticsFirst: new Float32Array(critics.size),
    criticsSecond: new Float32Array(critics.size),
    criticsTarget: values(critics.size, 0.5, 2),
    actor: values(policy.size, 0.5, 3),
    actorFirst: new Float32Array(policy.size),
    actorSecond: new Float32Array(policy.size),
    actorTarget: values(policy.size, 0.5, 4),
  };
  const data = (update: number) => ({
    states: values(batch * features, 1, 5 * update),
    next: values(batch * features, 1, 5 * update + 1),
    actions: values(batch * actions, 1, 5 * update + 2),
    noise: values(batch * actions, 0.5, 5 * update + 3),
    rewards: values(batch, 1, 5 * update + 4),
  });
  const [onnx, tfjs] = await Promise.all(
    [onnxEngine, tfjsEngine].map((engine) => learned(engine, outputs, start, data)),
  );
  for (const [i, result] of (onnx ?? []).entries()) {
    expectClose(tfjs?.[i] as Values, result, { relative: 1e-4, absolute: 1e-6 });
  }
});
