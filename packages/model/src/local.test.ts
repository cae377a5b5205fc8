import { capacitance, cycles, hertz } from "@offloadlab/units";
import { expect, it } from "vitest";
import { scalesAs } from "./dimension.test-helper.ts";
import { localDelay, localEnergy } from "./local.ts";

it("Eq. (4) grows with work and falls with the clock", () => scalesAs(localDelay, [1, -1]));

it("Eq. (4) runs 1.2 gigacycles at 1 GHz in 1.2 s", () => expect(localDelay(cycles(1.2e9), hertz(1e9))).toBe(1.2));

it("Eq. (5) grows with work, the square of the clock, and k", () => scalesAs(localEnergy, [1, 2, 1]));

it("Eq. (5) takes 10 J for a gigacycle at 1 GHz: k = e^-26 is 1e-26", () => {
  expect(localEnergy(cycles(1e9), hertz(1e9), capacitance(1e-26))).toBeCloseTo(10, 12);
});
