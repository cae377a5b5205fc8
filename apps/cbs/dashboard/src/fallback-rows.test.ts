import { expect, it } from "vitest";
import { fallbackRows } from "./fallback-rows.ts";
import { answers } from "./sample.ts";

const none = { late: 0, unreachable: 0, refused: 0, malformed: 0 };

it("has a row for each policy from outside, with its communities in their order", () => {
  const rows = fallbackRows(
    [
      answers({ community: "r2", fallbacks: { ...none, late: 3, unreachable: 1 } }),
      answers({ community: "r1" }),
      answers({ policy: "http://127.0.0.1:1/", community: "r1", asked: 7, fallbacks: { ...none, malformed: 7 } }),
    ],
    ["r1", "r2"],
  );
  expect(rows).toEqual([
    {
      policy: "./mine.onnx",
      communities: [
        { byFair: 0, asked: 240, reasons: "" },
        { byFair: 4, asked: 240, reasons: "late 3, unreachable 1" },
      ],
    },
    { policy: "http://127.0.0.1:1/", communities: [{ byFair: 7, asked: 7, reasons: "malformed 7" }, undefined] },
  ]);
});

it("is empty where every policy is one of ours", () => {
  expect(fallbackRows([], ["r1"])).toEqual([]);
});
