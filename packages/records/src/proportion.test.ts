import { expect, it } from "vitest";
import { proportion, proportionText } from "./proportion.ts";

// `scipy.stats.binomtest(count, n).proportion_ci(0.95, "exact")` (SciPy 1.17.1).
it.each([
  [0, 200, 0, 0.018275340355148807],
  [10, 200, 0.024234165472108292, 0.09002753770155869],
  [190, 200, 0.9099724622984412, 0.9757658345278917],
  [0, 20, 0, 0.16843347098308548],
  [1, 20, 0.0012650894979560339, 0.24873276277202772],
  [5, 20, 0.08657146910143455, 0.49104587170795755],
  [20, 20, 0.8315665290169145, 1],
])("the interval of %i in %i is SciPy's", (count, n, low, high) => {
  const { interval } = proportion(count, n);
  expect(interval[0]).toBeCloseTo(low, 10);
  expect(interval[1]).toBeCloseTo(high, 10);
});

it("prints the share with its interval, and refuses what is no share", () => {
  expect(proportionText(proportion(10, 200))).toBe("5.0 % [2.4 %, 9.0 %]");
  expect(() => proportion(3, 2)).toThrow("got 3 of 2");
  expect(() => proportion(0, 0)).toThrow(RangeError);
});
