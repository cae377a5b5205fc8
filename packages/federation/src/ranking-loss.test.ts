import fc from "fast-check";
import { expect, it } from "vitest";
import { lossesOf, rankingLoss } from "./ranking-loss.ts";

const finite = { actor: Float32Array.of(1) };

it("is the critics' mean loss over the square of the mean reward", () => {
  const losses = { critic1: 2, critic2: 4, actor: 1000 };
  expect(rankingLoss({ losses, meanAbsoluteReward: 2 }, finite)).toBe(0.75);
  expect(rankingLoss({ losses: { critic: 5 }, meanAbsoluteReward: 1 }, finite)).toBe(5);
});

it("does not change when all rewards are scaled: losses scale with their square", () => {
  const positive = fc.double({ min: 1e-3, max: 1e3, noNaN: true });
  fc.assert(
    fc.property(positive, positive, positive, (loss, reward, scale) => {
      const ranked = rankingLoss({ losses: { critic: loss }, meanAbsoluteReward: reward }, finite);
      const scaled = { losses: { critic: loss * scale ** 2 }, meanAbsoluteReward: reward * scale };
      expect(rankingLoss(scaled, finite) / ranked).toBeCloseTo(1, 9);
    }),
  );
});

it("is the loss itself where it is to be raw, so that small penalties rank first", () => {
  expect(rankingLoss({ losses: { critic1: 2, critic2: 4 }, meanAbsoluteReward: 2 }, finite, "raw")).toBe(3);
});

it("is NaN of weights that are not finite, and of a learner without critics or rewards", () => {
  const sums = { losses: { critic: 1 }, meanAbsoluteReward: 1 };
  expect(rankingLoss(sums, { actor: Float32Array.of(1, Number.NaN) })).toBeNaN();
  expect(rankingLoss({ ...sums, losses: { actor: 1 } }, finite)).toBeNaN();
  expect(Number.isFinite(rankingLoss({ ...sums, meanAbsoluteReward: 0 }, finite))).toBe(false);
});

it("a network that was not updated has lost nothing", () => {
  expect(lossesOf(["actor", "critic"], { critic: 3, other: 1 })).toEqual({ actor: 0, critic: 3 });
});
