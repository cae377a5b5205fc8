import type { AnswerCounts } from "@offloadlab/policies";
import { expect, test } from "vitest";
import { answerRows, answersBetween, answersSoFar, answersText } from "./answers.ts";
import type { EpochSums } from "./sweep-rows.ts";

const none = { late: 0, unreachable: 0, refused: 0, malformed: 0 };
const counts = (changes: Partial<AnswerCounts> = {}): AnswerCounts => ({
  asked: 100,
  adjusted: 0,
  fallbacks: none,
  firstProblem: undefined,
  ...changes,
});
const epoch = (community: string, answers?: AnswerCounts): EpochSums =>
  ({ policy: "./my.onnx", community, ...(answers === undefined ? {} : { answers }) }) as EpochSums;

test("answers that were taken as they were need no line, and policies of ours have none", () => {
  expect(answersText(answerRows([epoch("R1", counts()), epoch("R2", counts())]))).toEqual([]);
  expect(answerRows([epoch("R1")])).toEqual([]);
});

test("adjustments and fallbacks are summed over epochs and communities, each reason with its count", () => {
  const late = counts({ fallbacks: { ...none, late: 3 }, firstProblem: "no answer in time" });
  const broken = counts({ fallbacks: { ...none, late: 1, malformed: 2 }, firstProblem: "no JSON", adjusted: 7 });
  const rows = answerRows([epoch("R1", counts()), epoch("R2", late), epoch("R1", broken)]);
  expect(rows.map(({ community, asked, adjusted }) => [community, asked, adjusted])).toEqual([
    ["R1", 200, 7],
    ["R2", 100, 0],
  ]);
  expect(answersText(rows)).toEqual([
    "./my.onnx: 7 of 300 answers were brought within C4 and C5",
    "./my.onnx: Fair decided 6 of 300 sub-slots (late 4, malformed 2; first: no JSON)",
  ]);
});

test("what an epoch has added is the difference of what was counted", () => {
  const before = counts({ adjusted: 2, fallbacks: { ...none, late: 1 }, firstProblem: "slow" });
  const after = counts({ asked: 180, adjusted: 5, fallbacks: { ...none, late: 1, refused: 4 }, firstProblem: "slow" });
  expect(answersBetween(before, after)).toEqual({
    asked: 80,
    adjusted: 3,
    fallbacks: { ...none, refused: 4 },
    firstProblem: undefined,
  });
  expect(answersSoFar(before)).toEqual(before);
});
