import { expect } from "vitest";
import type { Values } from "./program.ts";

/** Values between two bounds, without order and with none near another: multiples of an irrational, modulo 1. */
export const spread = (size: number, low: number, high: number, stream = 0): number[] =>
  Array.from({ length: size }, (_, i) => {
    const phase = (i + 1) * 0.6180339887498949 + stream * 0.4142135623730951;
    return low + (high - low) * (phase - Math.floor(phase));
  });

/** That values of all names differ by no more than a part of the larger one, and a little. */
export const expectClose = (
  got: Values,
  expected: Values,
  { relative, absolute }: { readonly relative: number; readonly absolute: number },
): void => {
  expect(Object.keys(got)).toEqual(Object.keys(expected));
  const differences = Object.entries(expected).flatMap(([name, values]) => {
    expect(got[name], name).toHaveLength(values.length);
    return [...values].flatMap((value, i) => {
      const other = got[name]?.[i] as number;
      const bound = absolute + relative * Math.max(Math.abs(value), Math.abs(other));
      return Math.abs(value - other) <= bound ? [] : [`${name}[${i}]: ${other}, expected ${value}`];
    });
  });
  expect(differences).toEqual([]);
};
