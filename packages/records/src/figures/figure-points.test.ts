import { expect, it } from "vitest";
import { sweepMetrics } from "../sweep-metrics.ts";
import { sweepRow } from "../sweep-rows.test-helper.ts";
import { figurePoint } from "./figure-points.ts";

it("is the mean with its Student-t interval, no further than a mean can be", () => {
  expect(figurePoint(sweepRow().rewardPerEpoch, sweepMetrics.rewardPerEpoch)).toEqual({
    mean: -520.5,
    low: -521,
    high: -520,
  });
  expect(figurePoint(sweepRow().successRatio, sweepMetrics.successRatio)).toEqual({ mean: 0.75, low: 0.25, high: 1 });
  // Eq. (19) pays no reward above 0.
  const reward = { mean: -0.1, interval: [-0.3, 0.1] as const };
  for (const metric of [sweepMetrics.rewardPerTask, sweepMetrics.rewardPerEpoch])
    expect(figurePoint(reward, metric)).toEqual({ mean: -0.1, low: -0.3, high: 0 });
});

it("has no length without an interval, and is nothing without a mean", () => {
  const one = { mean: 3, interval: null, bootstrapInterval: null, n: 1 };
  expect(figurePoint(one, sweepMetrics.energyJoules)).toEqual({ mean: 3, low: 3, high: 3 });
  const none = { ...one, mean: null, n: 0 };
  expect(figurePoint(none, sweepMetrics.energyJoules)).toBeUndefined();
});
