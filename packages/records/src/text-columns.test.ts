import { expect, it } from "vitest";
import { alignedLines } from "./text-columns.ts";

it("aligns names left and numbers right, without spaces at the end", () => {
  const cells = [
    ["policy", "n"],
    ["pfr-oa and more", "7"],
    ["edge", "100"],
  ];
  expect(alignedLines(cells, 1)).toEqual(["policy             n", "pfr-oa and more    7", "edge             100"]);
  expect(
    alignedLines(
      [
        ["a", "long"],
        ["b", ""],
      ],
      2,
    ),
  ).toEqual(["a  long", "b"]);
  expect(alignedLines([], 1)).toEqual([]);
});
