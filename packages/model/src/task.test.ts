import { expect, it } from "vitest";
import { isSuccess, outcomes } from "./task.ts";

it("only completed tasks are successes", () => {
  expect(outcomes.filter(isSuccess)).toEqual(["completed-local", "completed-edge"]);
});
