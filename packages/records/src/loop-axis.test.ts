import { expect, it } from "vitest";
import { axisOf, loopPoint, shownValue, varyingVariables } from "./loop-axis.ts";
import { sweepRow } from "./sweep-rows.test-helper.ts";

const axis = { variable: "bandwidth_hertz", title: "Bandwidth [MHz]", divisor: 1e6 };

it("shows a value in the unit of the axis, without the noise of the division", () => {
  expect(shownValue(axis, 15e6)).toBe(15);
  expect(shownValue({ ...axis, divisor: 0.1 }, 0.3)).toBe(3);
  expect(shownValue(axis, "wide")).toBe("wide");
});

it("a variable without an axis is shown by its name", () => {
  expect(axisOf("devices", [axis])).toEqual({ variable: "devices", title: "devices" });
  expect(loopPoint({ bandwidth_hertz: 5e6, devices: 13 }, [axis])).toBe("Bandwidth [MHz]: 5, devices: 13");
  expect(loopPoint({}, [axis])).toBe("");
});

it("finds the variables that have more than one value", () => {
  const rows = [
    { a: 1, b: 3 },
    { a: 1, b: 2 },
    { a: 1, b: 3 },
  ].map((variables) => sweepRow({ variables }));
  expect([...varyingVariables(rows)]).toEqual([["b", [3, 2]]]);
  expect(varyingVariables([]).size).toBe(0);
});
