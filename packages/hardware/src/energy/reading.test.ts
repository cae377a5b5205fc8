import { joules } from "@offloadlab/units";
import { expect, it } from "vitest";
import { emulatedReading, modelledReading, withModelledPart } from "./reading.ts";

it("a reading says that it is emulated, exact and whole", () => {
  expect(emulatedReading(joules(3))).toEqual({ joules: 3, uncertainty: 0, coverage: 1, method: "emulated" });
});

it("what the model says of a task that nobody measured is labelled, and may be nothing or twice as much", () => {
  expect(modelledReading(joules(3))).toEqual({ joules: 3, uncertainty: 3, coverage: 0, method: "modelled" });
});

it("a measured part and a modelled one are both named, and what is only modelled is not known well", () => {
  const measured = { joules: joules(3), uncertainty: joules(0.3), coverage: 0.9, method: "ina226" };
  const sum = withModelledPart(measured, joules(0.4));
  expect(sum).toMatchObject({ joules: 3.4, coverage: 0.9, method: "ina226+modelled" });
  expect(sum.uncertainty).toBeCloseTo(0.5, 9);
  expect(withModelledPart(emulatedReading(joules(3)), joules(1))).toEqual(emulatedReading(joules(4)));
  expect(withModelledPart(modelledReading(joules(3)), joules(4)).method).toBe("modelled");
});
