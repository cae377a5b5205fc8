import { expect, test } from "vitest";
import {
  add,
  broadcastTo,
  concat,
  constant,
  gradients,
  input,
  largest,
  matmul,
  mean,
  pad,
  reshape,
  slice,
  sum,
  sumKeeping,
} from "./expression.ts";

const x = input("x", [2, 3]);

test("shapes follow from operations", () => {
  const shapes = {
    broadcast: add(input("column", [4, 1, 1]), x).shape,
    product: matmul(input("stack", [5, 1, 3, 2]), input("matrix", [4, 3, 6]), { transposeLeft: true }).shape,
    sum: sum(x).shape,
    sumOfRows: sum(x, [0]).shape,
    kept: sumKeeping(x, [1]).shape,
    mean: mean(x, [1]).shape,
    largest: largest(x, 0).shape,
    spread: broadcastTo(x, [4, 2, 3]).shape,
    joined: concat([x, x, x], 1).shape,
    part: slice(x, 1, 1, 3).shape,
    padded: pad(x, 0, 2, 1).shape,
  };
  expect(shapes).toEqual({
    broadcast: [4, 2, 3],
    product: [5, 4, 2, 6],
    sum: [],
    sumOfRows: [3],
    kept: [2, 1],
    mean: [2],
    largest: [3],
    spread: [4, 2, 3],
    joined: [2, 9],
    part: [2, 2],
    padded: [5, 3],
  });
});

test("what changes nothing is the same expression", () => {
  expect(reshape(x, [2, 3])).toBe(x);
  expect(broadcastTo(x, [2, 3])).toBe(x);
  expect(slice(x, 1, 0, 3)).toBe(x);
  expect(pad(x, 1, 0, 0)).toBe(x);
  expect(concat([x], 0)).toBe(x);
  expect(sumKeeping(x, [])).toBe(x);
});

test.each([
  ["broadcast", () => add(x, input("y", [2, 2])), "Expected shapes that broadcast in add, got [2,3] and [2,2]"],
  ["a vector in matmul", () => matmul(x, input("y", [3])), "Expected matrices in matmul, got [2,3] and [3]"],
  ["matmul", () => matmul(x, x), "Expected matrices that fit in matmul, got [2,3] and [2,3]"],
  [
    "matmul's other axes",
    () => matmul(input("a", [2, 3, 3]), input("b", [3, 3, 3])),
    "Expected shapes that broadcast in matmul, got [2] and [3]",
  ],
  ["constant", () => constant([1, 2], [3]), "Expected 3 values for a constant of shape [3], got 2"],
  ["sum", () => sum(x, [2]), "Expected an axis of [2,3], got 2"],
  ["largest", () => largest(x, -1), "Expected an axis of [2,3], got -1"],
  ["reshape", () => reshape(x, [4]), "Expected a shape of 6 elements for [2,3], got [4]"],
  ["broadcastTo", () => broadcastTo(x, [3, 3]), "Expected shapes that broadcast in broadcastTo, got [2,3] and [3,3]"],
  ["broadcastTo something smaller", () => broadcastTo(x, [1, 3]), "Expected [2,3] to broadcast to [1,3]"],
  ["concat of none", () => concat([], 0), "Expected at least one tensor to concatenate, got none"],
  ["concat", () => concat([x, input("y", [3, 3])], 1), "Expected tensors like [2,3] but for axis 1, got [3,3]"],
  ["slice", () => slice(x, 1, 2, 4), "Expected a part of axis 1 of [2,3], got 2 to 4"],
  ["slice of nothing", () => slice(x, 1, 2, 2), "Expected a part of axis 1 of [2,3], got 2 to 2"],
  ["pad", () => pad(x, 2, 1, 1), "Expected an axis of [2,3], got 2"],
  ["pad with less than nothing", () => pad(x, 0, -1, 1), "Expected whole numbers of zeros, got -1 and 1"],
  ["gradients", () => gradients(x, [x]), "Expected a loss of one number, got one of shape [2,3]"],
])("%s refuses shapes that do not fit", (_, build, message) => {
  expect(build).toThrow(new RangeError(message));
});
