import { cycles, hertz, ratio, seconds, watts } from "@offloadlab/units";
import { expect, it } from "vitest";
import { scalesAs } from "./dimension.test-helper.ts";
import { edgeDelay, edgeEnergy } from "./edge.ts";

it("Eq. (6) grows with work, falls with the share and the server's clock", () => scalesAs(edgeDelay, [1, -1, -1]));

it("Eq. (6) runs a gigacycle on a tenth of 20 GHz in 0.5 s", () => {
  expect(edgeDelay(cycles(1e9), ratio(0.1), hertz(20e9))).toBe(0.5);
});

it("Eq. (6) has no answer without a share", () => {
  expect(() => edgeDelay(cycles(1e9), ratio(0), hertz(20e9))).toThrow(RangeError);
});

it("Eq. (7) grows with the server's power and the delay", () => scalesAs(edgeEnergy, [1, 1]));

it("Eq. (7) takes 71.5 J for 1.1 gigacycles on 1/13 of 20 GHz at 100 W", () => {
  expect(edgeEnergy(watts(100), edgeDelay(cycles(1.1e9), ratio(1 / 13), hertz(20e9)))).toBeCloseTo(71.5, 9);
  expect(edgeEnergy(watts(100), seconds(0))).toBe(0);
});
