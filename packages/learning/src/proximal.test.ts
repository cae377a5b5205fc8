import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { input } from "./graph/expression.ts";
import { onnxEngine } from "./graph/onnx-engine.ts";
import type { Program } from "./graph/program.ts";
import { proximalGradient, proximalTerm } from "./proximal.ts";

const size = 4;
let program: Program;
beforeAll(async () => {
  const weights = input("weights", [size]);
  const globalWeights = input("globalWeights", [size]);
  const lambda = input("lambda", [1]);
  program = await onnxEngine.open("proximal", {
    value: proximalTerm(weights, globalWeights, lambda),
    gradient: proximalGradient(weights, globalWeights, lambda),
  });
});
afterAll(() => program.close());

/** The term and its gradient, as the training graphs compute them. */
const termOf = async (weights: readonly number[], globalWeights: readonly number[], lambda: number) => {
  const { value, gradient } = await program.run({
    weights: Float32Array.from(weights),
    globalWeights: Float32Array.from(globalWeights),
    lambda: Float32Array.of(lambda),
  });
  return { value: value?.[0] as number, gradient: [...(gradient as Float32Array)] };
};

/** Numbers in 1/64 and powers of two for λ: their sums and products are exact in single precision. */
const lambdas = fc.constantFrom(0.125, 0.25, 0.5, 1, 2);
const tensor = fc.array(
  fc.integer({ min: -64, max: 64 }).map((n) => n / 64),
  { minLength: size, maxLength: size },
);

it("Eq. (24) is half of λ times the squared distance, and its gradient is λ (θ − θ_f)", async () => {
  // Distance 5.
  expect(await termOf([4, 1, 0, 0], [1, 5, 0, 0], 0.5)).toEqual({ value: 6.25, gradient: [1.5, -2, 0, 0] });
});

it("Eq. (24) has exponent 2: s times the distance costs s² times as much", async () => {
  await fc.assert(
    fc.asyncProperty(tensor, tensor, lambdas, fc.constantFrom(0.25, 0.5, 2, 4), async (own, global, lambda, scale) => {
      const further = own.map((value, i) => (global[i] as number) + scale * (value - (global[i] as number)));
      const near = await termOf(own, global, lambda);
      const far = await termOf(further, global, lambda);
      expect(far.value).toBeCloseTo(scale ** 2 * near.value, 5);
      far.gradient.forEach((slope, i) => {
        expect(slope).toBeCloseTo(scale * (near.gradient[i] as number), 5);
      });
    }),
  );
});

it("Eq. (24) is linear in λ, and nothing at λ = 0 or at θ_f", async () => {
  await fc.assert(
    fc.asyncProperty(tensor, tensor, lambdas, async (own, global, lambda) => {
      const unit = await termOf(own, global, 1);
      expect((await termOf(own, global, lambda)).value).toBeCloseTo(lambda * unit.value, 5);
      for (const free of [await termOf(own, global, 0), await termOf(global, global, lambda)]) {
        expect(free.value).toBe(0);
        expect(free.gradient.every((slope) => Math.abs(slope) === 0)).toBe(true);
      }
    }),
  );
});

it("the gradient of Eq. (24) is its finite difference", async () => {
  await fc.assert(
    fc.asyncProperty(tensor, tensor, lambdas, fc.nat({ max: size - 1 }), async (own, global, lambda, moved) => {
      const step = 1 / 64;
      const valueAt = async (move: number): Promise<number> =>
        (await termOf(own.with(moved, (own[moved] as number) + move), global, lambda)).value;
      // The central difference of a square is exact but for rounding.
      const difference = ((await valueAt(step)) - (await valueAt(-step))) / (2 * step);
      expect(difference).toBeCloseTo((await termOf(own, global, lambda)).gradient[moved] as number, 3);
    }),
  );
});

it("each network has a λ of its own", async () => {
  const both = [input("weights", [2, size]), input("globalWeights", [2, size]), input("lambda", [2, 1])] as const;
  const twins = await onnxEngine.open("proximal twins", { gradient: proximalGradient(...both) });
  const { gradient } = await twins.run({
    weights: new Float32Array(2 * size).fill(3),
    globalWeights: new Float32Array(2 * size).fill(1),
    lambda: Float32Array.of(0.5, 2),
  });
  await twins.close();
  expect([...(gradient ?? [])]).toEqual([1, 1, 1, 1, 4, 4, 4, 4]);
});
