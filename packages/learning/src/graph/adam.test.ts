import { expect, test } from "vitest";
import { type AdamSettings, adamCorrection, adamDefaults, adamStep } from "./adam.ts";
import { input } from "./expression.ts";
import { onnxEngine } from "./onnx-engine.ts";
import type { Values } from "./program.ts";

interface Step {
  readonly weights: readonly number[];
  readonly first: readonly number[];
  readonly second: readonly number[];
}

/** Steps with some gradients, one after the other, from weights whose moments are 0. */
const steps = async (weights: readonly number[], gradients: readonly number[][], settings: AdamSettings) => {
  const named = (name: string) => input(name, [weights.length]);
  const next = adamStep(
    { weights: named("weights"), first: named("first"), second: named("second") },
    named("gradient"),
    { first: input("firstCorrection", [1]), second: input("secondCorrection", [1]) },
    settings,
  );
  const program = await onnxEngine.open("adam", {
    nextWeights: next.weights,
    nextFirst: next.first,
    nextSecond: next.second,
  });
  let state: Step = { weights, first: weights.map(() => 0), second: weights.map(() => 0) };
  const taken: Step[] = [];
  for (const [i, gradient] of gradients.entries()) {
    const [firstCorrection, secondCorrection] = adamCorrection(i + 1, settings);
    const feeds = { ...state, gradient, firstCorrection: [firstCorrection], secondCorrection: [secondCorrection] };
    const values: Values = await program.run(
      Object.fromEntries(Object.entries(feeds).map(([name, each]) => [name, Float32Array.from(each)])),
    );
    const [nextWeights = [], nextFirst = [], nextSecond = []] = Object.values(values).map((each) => [...each]);
    state = { weights: nextWeights, first: nextFirst, second: nextSecond };
    taken.push(state);
  }
  await program.close();
  return taken;
};

const about = (step: { readonly [part in keyof Step]: readonly number[] }) =>
  Object.fromEntries(
    Object.entries(step).map(([part, values]) => [part, values.map((each: number) => expect.closeTo(each, 6))]),
  );

test("two steps, worked by hand", async () => {
  const gradients = [
    [0.5, -2],
    [1, 0],
  ];
  expect(await steps([1, 1], gradients, { ...adamDefaults, learningRate: 0.1 })).toEqual([
    // m = 0.1 g, v = 0.001 g²; corrected, g and g²: the first step goes by the learning rate, whatever g.
    about({ weights: [0.9, 1.1], first: [0.05, -0.2], second: [0.00025, 0.004] }),
    // m = 0.9 m + 0.1 g, v = 0.999 v + 0.001 g²;
    // corrected by 1 - 0.81 and 1 - 0.998001: m = (0.76315789, -0.94736842), v = (0.62518759, 1.99899950);
    // 0.1 m / √v = (0.09651820, -0.06700583).
    about({ weights: [0.8034818, 1.16700583], first: [0.145, -0.18], second: [0.00124975, 0.003996] }),
  ]);
});

test("ε makes steps small where gradients are", async () => {
  // Corrected, m = 3 and √v = 3: a step of 3 / (3 + 1).
  const [step] = await steps([0], [[3]], { ...adamDefaults, learningRate: 1, epsilon: 1 });
  expect(step?.weights).toEqual([expect.closeTo(-0.75, 6)]);
});
