import { expect, it } from "vitest";
import type { NewRecord } from "./journal-records.ts";
import { stamped } from "./journals.test-helper.ts";
import { learnerDeaths, learnerDeathsText } from "./learner-deaths.ts";

const learning = (trial: number, policy: string, deaths?: number): NewRecord => ({
  ...{ kind: "learning", trial, policy, epoch: trial, transitions: 80, discarded: 0, updates: 80, losses: {} },
  ...(deaths === undefined ? {} : { deaths }),
});

it("counts them by policy and server, and says nothing of learners that lived", () => {
  const journals = new Map([
    ["mec-1", stamped([learning(1, "pfr-oa", 1), learning(2, "td3"), learning(3, "pfr-oa", 2)])],
    ["mec-2", stamped([learning(1, "pfr-oa"), learning(2, "td3", 1)])],
  ]);
  const deaths = learnerDeaths(journals);
  expect(deaths).toEqual([
    { policy: "pfr-oa", node: "mec-1", deaths: 3 },
    { policy: "td3", node: "mec-2", deaths: 1 },
  ]);
  expect(learnerDeathsText(deaths)).toEqual([
    "pfr-oa on mec-1: its learner's process ended by itself 3 times, and others went on with what it had learned",
    "td3 on mec-2: its learner's process ended by itself once, and another one went on with what it had learned",
  ]);
});
