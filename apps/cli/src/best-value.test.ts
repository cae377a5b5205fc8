import type { EpochSums } from "@offloadlab/records";
import { expect, it } from "vitest";
import { bestValuesOf, bestValuesText } from "./best-value.ts";

/** Successes of 100 tasks in each repetition, of one policy with one value. */
const trials = (variable: string, value: number, successes: readonly number[]): EpochSums[] =>
  successes.map((success, index) => ({
    trial: index + 1,
    policy: "pfr-oa",
    repetition: index + 1,
    variables: { [variable]: value },
    community: "R1",
    epoch: 1,
    seed: index,
    tasks: 100,
    outcomes: { "completed-local": success, "completed-edge": 0, late: 100 - success, drained: 0, expired: 0, lost: 0 },
    reward: success - 100,
    energyJoules: 100,
    waitingSeconds: 10,
  }));

it("puts each value beside the paper's best, paired by repetition", () => {
  const sums = [
    ...trials("discount_ratio", 0.1, [80, 82, 81]),
    ...trials("discount_ratio", 0.95, [97, 99, 99]),
    ...trials("discount_ratio", 0.995, [90, 92, 91]),
  ];
  const success = bestValuesOf(sums).filter(({ metric }) => metric === "successRatio");
  expect(success.map(({ best, other, verdict }) => [best, other, verdict])).toEqual([
    [0.995, 0.1, "holds"],
    [0.995, 0.95, "does not hold"],
  ]);
  expect(success[0]?.difference).toMatchObject({ n: 3, mean: expect.closeTo(0.1, 9) });
  expect(bestValuesText(bestValuesOf(sums)).join("\n")).toMatch(/discount_ratio 0\.995 > 0\.95 .*n 3 +does not hold/);
});

it("says nothing of sweeps over what the paper has no best value of, or without it", () => {
  expect(bestValuesOf(trials("bandwidth_hertz", 5e6, [1, 2]))).toEqual([]);
  expect(bestValuesOf(trials("learning_rate", 1e-3, [1, 2]))).toEqual([]);
  expect(bestValuesText([])).toEqual([]);
});
