import fc from "fast-check";
import { expect, it } from "vitest";
import { numbers } from "./agents.test-helper.ts";
import { input } from "./graph/expression.ts";
import { onnxEngine } from "./graph/onnx-engine.ts";
import { layoutSize, parameters, weightsIn } from "./graph/parameters.ts";
import { Forward, initialWeights, type NetworkShape, network, networkLayout } from "./network.ts";

const run = (shape: NetworkShape, rows: number, weights: Float32Array, x: Float32Array): Float32Array => {
  const y = new Float32Array(rows * shape.outputs);
  new Forward(shape, rows).run(weights, x, y);
  return y;
};

it.each([
  [{ inputs: 3, hidden: 8, outputs: 2, pooled: false }, 1],
  [{ inputs: 3, hidden: 8, outputs: 2, pooled: false }, 4],
  [{ inputs: 3, hidden: 8, outputs: 2, pooled: true }, 1],
  [{ inputs: 3, hidden: 8, outputs: 2, pooled: true }, 4],
  [{ inputs: 14, hidden: 64, outputs: 3, pooled: true }, 13],
] as const)("plain JavaScript and the graph map rows alike: %o, %d rows", async (shape, rows) => {
  const states = 3;
  const layout = networkLayout(shape);
  const weights = initialWeights(layout, 1, "network");
  const x = numbers(states * rows * shape.inputs, "x");
  const program = await onnxEngine.open("network", {
    y: network(weightsIn(parameters("weights", layout), layout), input("x", [states * rows, shape.inputs]), rows),
  });
  const { y } = await program.run({ weights, x });
  await program.close();
  const size = rows * shape.inputs;
  const plain = Array.from({ length: states }, (_, i) =>
    run(shape, rows, weights, x.subarray(i * size, (i + 1) * size)),
  );
  for (const [i, value] of plain.flatMap((each) => [...each]).entries()) expect(value).toBeCloseTo(y?.[i] as number, 5);
});

it("several networks map the same rows, each with its own weights", async () => {
  const shape = { inputs: 3, hidden: 4, outputs: 2, pooled: true };
  const layout = networkLayout(shape);
  const [first, second] = [initialWeights(layout, 1, "first"), initialWeights(layout, 1, "second")];
  const x = numbers(5 * 3, "x");
  const program = await onnxEngine.open("networks", {
    y: network(weightsIn(parameters("weights", layout, 2), layout), input("x", [5, 3]), 5),
  });
  const { y } = await program.run({ weights: Float32Array.of(...first, ...second), x });
  await program.close();
  const plain = [...run(shape, 5, first, x), ...run(shape, 5, second, x)];
  for (const [i, value] of plain.entries()) expect(value).toBeCloseTo(y?.[i] as number, 5);
});

it("rows without a context do not know of each other; with one, all do", () => {
  const changed = (pooled: boolean): boolean[] => {
    const shape = { inputs: 3, hidden: 8, outputs: 1, pooled };
    const weights = initialWeights(networkLayout(shape), 1, "network");
    const x = numbers(4 * 3, "x");
    const before = run(shape, 4, weights, x);
    x[0] = (x[0] as number) + 1;
    const after = run(shape, 4, weights, x);
    return [...after].map((value, i) => value !== before[i]);
  };
  expect(changed(false)).toEqual([true, false, false, false]);
  expect(changed(true)).toEqual([true, true, true, true]);
});

it("the number of rows is not in the weights", () => {
  const shape = { inputs: 3, hidden: 8, outputs: 2, pooled: true };
  const weights = initialWeights(networkLayout(shape), 1, "network");
  const row = [0.2, -0.4, 0.6];
  const alike = (rows: number): number[] => [
    ...run(shape, rows, weights, Float32Array.from(Array.from({ length: rows }, () => row).flat())),
  ];
  for (const rows of [1, 3, 13, 40]) {
    for (const [i, value] of alike(rows).entries()) expect(value).toBeCloseTo(alike(1)[i % 2] as number, 5);
  }
});

it("weights begin within ± 1 / √inputs of their layer, and fill that range", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 30 }),
      fc.boolean(),
      (inputs, hidden, pooled) => {
        const layout = networkLayout({ inputs, hidden, outputs: 2, pooled });
        const weights = initialWeights(layout, 1, "network");
        expect(weights).toHaveLength(layoutSize(layout));
        let start = 0;
        for (const [name, shape] of Object.entries(layout)) {
          const size = shape.reduce((product, each) => product * each, 1);
          const bound = 1 / Math.sqrt(name.startsWith("first") ? inputs : hidden);
          const own = weights.subarray(start, start + size).map(Math.abs);
          const largest = Math.max(...own);
          expect(largest).toBeLessThanOrEqual(bound);
          if (size > 50) expect(largest).toBeGreaterThan(0.8 * bound);
          start += size;
        }
      },
    ),
  );
});

it("the same seed and name begin the same, others otherwise", () => {
  const layout = networkLayout({ inputs: 2, hidden: 3, outputs: 1, pooled: false });
  const first = initialWeights(layout, 1, "actor");
  expect(initialWeights(layout, 1, "actor")).toEqual(first);
  expect(initialWeights(layout, 2, "actor")).not.toEqual(first);
  expect(initialWeights(layout, 1, "critic 1")).not.toEqual(first);
});
