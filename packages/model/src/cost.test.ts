import { joules, seconds } from "@offloadlab/units";
import fc from "fast-check";
import { expect, it } from "vitest";
import { taskDelay, taskEnergy } from "./cost.ts";
import { isClose } from "./dimension.test-helper.ts";

const term = fc.double({ min: 1e-6, max: 10, noNaN: true });
const terms = (size: number) => fc.array(term, { minLength: size, maxLength: size });
const delayOf = (offloaded: boolean, [local = 0, upload = 0, edge = 0, waiting = 0]: number[]) =>
  taskDelay(offloaded, seconds(local), seconds(upload), seconds(edge), seconds(waiting));
const energyOf = (offloaded: boolean, [local = 0, upload = 0, edge = 0]: number[]) =>
  taskEnergy(offloaded, joules(local), joules(upload), joules(edge));

it("Eq. (14) is a time: it scales with all of its terms together", () => {
  fc.assert(
    fc.property(fc.boolean(), terms(4), term, (offloaded, times, scale) =>
      isClose(
        delayOf(
          offloaded,
          times.map((time) => time * scale),
        ),
        delayOf(offloaded, times) * scale,
      ),
    ),
  );
});

it("Eq. (14) adds the wait to the execution, or to upload and execution", () => {
  expect(delayOf(false, [1, 0.2, 0.7, 0.25])).toBe(1.25);
  expect(delayOf(true, [1, 0.25, 0.5, 0.25])).toBe(1);
});

it("Eq. (15) is an energy: it scales with all of its terms together", () => {
  fc.assert(
    fc.property(fc.boolean(), terms(3), term, (offloaded, energies, scale) =>
      isClose(
        energyOf(
          offloaded,
          energies.map((energy) => energy * scale),
        ),
        energyOf(offloaded, energies) * scale,
      ),
    ),
  );
});

it("Eq. (15) takes the device's energy, or that of upload and server", () => {
  expect(energyOf(false, [13.35, 11.5, 71.5])).toBe(13.35);
  expect(energyOf(true, [13.35, 11.5, 71.5])).toBe(83);
});
