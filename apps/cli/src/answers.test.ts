import { expect, test } from "vitest";
import { answersText, reportedAnswers } from "./answers.ts";

const none = { late: 0, unreachable: 0, refused: 0, malformed: 0 };
const answers = (community: string, changes: object) =>
  reportedAnswers("./my.onnx", community, {
    asked: 100,
    adjusted: 0,
    fallbacks: none,
    firstProblem: undefined,
    ...changes,
  });

test("answers that were taken as they were need no line", () => {
  expect(answersText([answers("R1", {}), answers("R2", {})])).toEqual([]);
});

test("adjustments and fallbacks are summed over communities, each reason with its count", () => {
  const late = { fallbacks: { ...none, late: 3 }, firstProblem: "no answer in time" };
  const broken = { fallbacks: { ...none, late: 1, malformed: 2 }, firstProblem: "no JSON", adjusted: 7 };
  expect(answersText([answers("R1", {}), answers("R2", late), answers("R3", broken)])).toEqual([
    "./my.onnx: 7 of 300 answers were brought within C4 and C5",
    "./my.onnx: Fair decided 6 of 300 sub-slots (late 4, malformed 2; first: no answer in time)",
  ]);
});
