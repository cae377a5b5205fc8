import { expect, it } from "vitest";
import { dodge } from "./dodge.ts";

it("sets policies 1.6 points apart, the middle one on the position", () => {
  const place = dodge([0, 100, 200], 200, undefined);
  expect([0, 1, 2].map((index) => place(100, index, 3))).toEqual([98.4, 100, 101.6]);
});

it("keeps many policies within 8 points, and one on the position", () => {
  const place = dodge([0, 100, 200], 200, "linear");
  expect([place(100, 0, 11), place(100, 10, 11)]).toEqual([96, 104]);
  expect(place(100, 0, 1)).toBe(100);
});

it("fills at most two fifths of the room between the nearest positions", () => {
  const place = dodge([0, 10, 200], 200, "linear");
  expect(place(10, 0, 4)).toBeCloseTo(10 - 1.5, 12);
  expect(place(10, 3, 4)).toBeCloseTo(10 + 1.5, 12);
});

it("moves by the same distance on paper all along a logarithmic axis", () => {
  const place = dodge([1, 10, 100], 100, "log");
  expect(place(100, 1, 2) / 100).toBeCloseTo(place(1, 1, 2), 12);
  expect(Math.log10(place(1, 1, 2)) * 50).toBeCloseTo(0.8, 12);
});

it("has nothing to move by at a single position", () => {
  expect(dodge([5], 100, "linear")(5, 0, 3)).toBe(5);
});
