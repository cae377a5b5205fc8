import fc from "fast-check";
import { expect, it } from "vitest";
import { bits, bitsOf, bytes, bytesOf, count, joules, ratio, seconds } from "./quantity.ts";

it("a quantity is its number", () => {
  fc.assert(fc.property(fc.double({ noDefaultInfinity: true, noNaN: true }), (value) => seconds(value) === value));
});

it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("no quantity is %s", (value) => {
  expect(() => joules(value)).toThrow(RangeError);
  expect(() => ratio(value)).toThrow(RangeError);
  expect(() => count(value)).toThrow(RangeError);
});

it("says the unit and the value that it refuses", () => {
  expect(() => joules(Number.NaN)).toThrow("Expected a finite number of J, got NaN");
});

it("a ratio is within [0, 1]", () => {
  expect([ratio(0), ratio(1)]).toEqual([0, 1]);
  expect(() => ratio(-1e-12)).toThrow(RangeError);
  expect(() => ratio(1 + 1e-12)).toThrow(RangeError);
});

it("a count is a non-negative integer", () => {
  expect(count(0)).toBe(0);
  expect(() => count(-1)).toThrow(RangeError);
  expect(() => count(1.5)).toThrow(RangeError);
});

it("a byte has eight bits", () => {
  expect(bitsOf(bytes(1e6))).toBe(8e6);
  expect(bytesOf(bits(8))).toBe(1);
});

it("bits and bytes convert there and back", () => {
  fc.assert(fc.property(fc.nat(), (size) => bytesOf(bitsOf(bytes(size))) === size));
});
