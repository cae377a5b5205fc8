import { memory } from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { add, gradients, input, mean, multiply, square, stopGradient, sum } from "./expression.ts";
import { tfjsEngine, tfjsModule } from "./tfjs-engine.ts";

test("a run leaves no tensor behind", async () => {
  const [x, unused] = [input("x", [3]), input("unused", [2])];
  const loss = mean(square(add(square(x), stopGradient(x))));
  const [gradient, zero] = gradients(loss, [x, unused]);
  const again = gradients(sum(loss), [x])[0];
  if (!gradient || !zero || !again) throw new RangeError("three gradients");
  const program = await tfjsEngine.open("test", { loss, next: add(x, multiply(gradient, -0.1)), zero, again });
  const feeds = { x: Float32Array.of(1, 2, 3), unused: new Float32Array(2) };
  const before = memory().numTensors;
  for (let run = 0; run < 3; run += 1) await program.run(feeds);
  expect(memory().numTensors).toBe(before);
  await program.close();
});

test("a gradient of a gradient is refused, and leaves no tensor behind either", async () => {
  const x = input("x", [3]);
  const [inner] = gradients(sum(multiply(square(x), x)), [x]);
  if (!inner) throw new RangeError("a gradient");
  const program = await tfjsEngine.open("test", { outer: gradients(sum(inner), [x])[0] ?? inner });
  const before = memory().numTensors;
  await expect(program.run({ x: Float32Array.of(1, 2, 3) })).rejects.toThrow("Expected a loss without gradients in it");
  expect(memory().numTensors).toBe(before);
});

test("the native binding is taken where it is installed, and without either it says what to install", () => {
  expect(tfjsModule(() => true)).toBe("@tensorflow/tfjs-node");
  expect(tfjsModule((name) => name === "@tensorflow/tfjs")).toBe("@tensorflow/tfjs");
  expect(() => tfjsModule(() => false)).toThrow(/TensorFlow\.js is not installed: run `npm install @tensorflow\/tfjs`/);
});
