import { joules } from "@offloadlab/units";
import { expect, it } from "vitest";
import { emulatedReading, modelledReading } from "./reading.ts";

it("a reading says that it is emulated, exact and whole", () => {
  expect(emulatedReading(joules(3))).toEqual({ joules: 3, uncertainty: 0, coverage: 1, method: "emulated" });
});

it("what the model says of a task that nobody measured is labelled, and may be nothing or twice as much", () => {
  expect(modelledReading(joules(3))).toEqual({ joules: 3, uncertainty: 3, coverage: 0, method: "modelled" });
});
