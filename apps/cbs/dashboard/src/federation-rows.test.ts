import { expect, test } from "vitest";
import {
  actorLambda,
  bytesText,
  criticLoss,
  learningCurve,
  learningPolicies,
  overRounds,
  refusalText,
  roundBytes,
} from "./federation-rows.ts";
import { federation, round, roundMember } from "./sample.ts";

test("a learning curve counts the epochs of its own policy", () => {
  const epochs = [
    { policy: "pfr-oa", trial: 2, rewardPerTask: [-1, null] },
    { policy: "td3", trial: 3, rewardPerTask: [-9, -9] },
    { policy: "pfr-oa", trial: 7, rewardPerTask: [-0.5, -2] },
  ];
  expect(learningPolicies(epochs)).toEqual(["pfr-oa", "td3"]);
  expect(learningCurve(epochs, "pfr-oa", 2)).toEqual([
    [1, 2],
    [-1, -0.5],
    [null, -2],
  ]);
});

test("lines over rounds break where a server sent nothing", () => {
  const away = roundMember({ node: "mec-2", losses: {}, uploadBytes: 0, updates: null });
  const shown = federation({ rounds: [round(), round({ round: 2, members: [roundMember(), away] })] });
  expect(overRounds(shown, ({ updates }) => updates)).toEqual([
    [1, 2],
    [40, 40],
    [40, null],
  ]);
  expect(overRounds(shown, actorLambda)[1]).toEqual([0.1, 0.1]);
});

test("the critics' loss is their mean, and unknown when one of them is", () => {
  expect(criticLoss(roundMember({ losses: { critic1: 3, critic2: 5, actor: -1 } }))).toBe(4);
  expect(criticLoss(roundMember({ losses: { critic1: 1, critic2: null } }))).toBeNull();
  expect(criticLoss(roundMember({ losses: {} }))).toBeNull();
});

test("a round's bytes are its updates and a model for every server", () => {
  expect(roundBytes(federation(), round({ modelBytes: 50 }))).toBe(2 * 1000 + 2 * 50);
  expect([0, 999, 1000, 113_940, 1_250_000].map(bytesText)).toEqual(["0 B", "999 B", "1 kB", "114 kB", "1.3 MB"]);
});

test("refusals say how often, why and whose", () => {
  expect(refusalText(federation())).toBeUndefined();
  const refusals = { "mec-1": { "update/late": 2 }, "mec-3": { "update/shape": 1 } };
  expect(refusalText(federation({ refusals }))).toBe("2 × update/late of mec-1, 1 × update/shape of mec-3");
});
