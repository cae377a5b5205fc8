import { expect, it } from "vitest";
import { lineStyle } from "./line-style.ts";

it("gives sixteen communities a line each", () => {
  const looks = Array.from({ length: 16 }, (_, index) => JSON.stringify(lineStyle(index)));
  expect(new Set(looks).size).toBe(16);
});
