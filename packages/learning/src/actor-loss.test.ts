import { expect, it } from "vitest";
import { actorLossOf } from "./actor-loss.ts";
import { gradients, input } from "./graph/expression.ts";
import { onnxEngine } from "./graph/onnx-engine.ts";

const values = input("values", [2, 1]);
const outputs = input("outputs", [2, 2]);
const feeds = { values: Float32Array.of(1, 4), outputs: Float32Array.of(1, -2, 3, 0) };

const lossWith = async (penalty: number) => {
  const loss = actorLossOf(values, outputs, penalty);
  const [gradient] = penalty === 0 ? [] : gradients(loss, [outputs]);
  const program = await onnxEngine.open("actor-loss", { loss, ...(gradient === undefined ? {} : { gradient }) });
  const results = await program.run(feeds);
  await program.close();
  return results;
};

it("an actor minimises minus the mean value", async () => {
  expect((await lossWith(0))["loss"]?.[0]).toBe(-2.5);
});

it("and κ times the mean square of its outputs before tanh", async () => {
  const { loss, gradient } = await lossWith(0.5);
  expect(loss?.[0]).toBeCloseTo(-2.5 + 0.5 * (14 / 4), 6);
  // d/dz κ N⁻¹ Σ z² = 2 κ z / N
  expect([...(gradient ?? [])]).toEqual([0.25, -0.5, 0.75, 0]);
});
