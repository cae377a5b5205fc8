import { presets, type Settings } from "@offloadlab/model";
import { policyNames } from "@offloadlab/policies";
import { seconds } from "@offloadlab/units";
import { describe, expect, it } from "vitest";
import type { RunContents } from "../check.ts";
import type { Decision, JournalRecord } from "../journal-records.ts";
import { smallSettings } from "../journals.test-helper.ts";
import { deviceOf } from "../reconcile.ts";
import { trialSchedule } from "../schedule.ts";
import { type PolicyReplay, replayRun } from "./replay.ts";
import { simulatedRun } from "./simulated-run.test-helper.ts";
import { replayText } from "./text.ts";

const trials = trialSchedule(policyNames, 3, 5);
const latencies = { start: seconds(0.006), local: seconds(0.0013), edge: seconds(0.008) };

/** A run with the records of one node changed. */
const changed = (
  run: RunContents,
  node: string,
  change: (record: JournalRecord) => JournalRecord | readonly JournalRecord[],
): RunContents => ({
  ...run,
  journals: new Map(
    [...run.journals].map(([name, records]) => [name, name === node ? records.flatMap(change) : records]),
  ),
});
const only = (run: RunContents, number: number): RunContents => ({
  ...run,
  trials: run.trials.filter((trial) => trial.number === number),
});
const causesOf = ({ causes }: PolicyReplay): string[] => causes.map(({ cause }) => cause);

describe.each<[string, Settings]>([
  ["two small communities", smallSettings],
  ["the testbed", presets.testbed],
  ["the paper, whose batteries run empty", presets.paper],
])("%s", (_, settings) => {
  it("a laboratory without latencies is the simulator", async () => {
    const { policies, latencies: measured } = await replayRun(await simulatedRun(settings, trials));
    expect(policies.map(({ policy }) => policy)).toEqual(policyNames);
    for (const { gaps, differing, causes, firsts } of policies) {
      expect({ differing, firsts }).toEqual({ differing: 0, firsts: [] });
      expect(causes.map(({ cause }) => cause)).toEqual(["timing"]);
      for (const { difference } of gaps) expect(Math.abs(difference.mean as number)).toBeLessThan(1e-9);
    }
    expect(Math.abs(measured.startSeconds.p95)).toBeLessThan(1e-9);
  });

  it("latencies are measured, named as the cause, and close the gap", async () => {
    const { policies, latencies: measured } = await replayRun(await simulatedRun(settings, trials, latencies));
    expect(measured.decisionSeconds.median).toBeCloseTo(latencies.start, 9);
    expect(measured.startSeconds.median).toBeCloseTo(latencies.start, 9);
    expect(measured.localSeconds.median).toBeCloseTo(latencies.local, 9);
    expect(measured.edgeSeconds.median).toBeCloseTo(latencies.edge, 9);
    expect(policies.some(({ differing }) => differing > 0)).toBe(true);
    for (const replay of policies) {
      expect(replay.differingWithLatencies).toBe(0);
      for (const cause of causesOf(replay))
        expect(["timing", "processor", "radio", "deadline", "shares"]).toContain(cause);
      for (const { differenceWithLatencies } of replay.gaps) {
        expect(Math.abs(differenceWithLatencies.mean as number)).toBeLessThan(1e-9);
      }
    }
  });

  it("what the causes add sums to the differences", async () => {
    const { policies } = await replayRun(await simulatedRun(settings, trials, latencies));
    for (const { gaps, causes, tasks } of policies) {
      expect(causes.reduce((sum, cause) => sum + cause.tasks, 0)).toBe(tasks);
      for (const { measure, difference } of gaps) {
        expect(causes.reduce((sum, { share }) => sum + share[measure], 0)).toBeCloseTo(difference.mean as number, 9);
      }
    }
  });
});

describe("one change in the journals", async () => {
  const trial = trials.find(({ policy }) => policy === "greedy")?.number as number;
  const run = only(await simulatedRun(smallSettings, trials), trial);
  const server = run.journals.get("mec-1") ?? [];
  const [first] = server.flatMap((record) =>
    record.kind === "action" && record.trial === trial
      ? record.decisions.map((decision) => ({ decision, subSlot: record.subSlot }))
      : [],
  );
  const { decision, subSlot } = first as NonNullable<typeof first>;
  const { task } = decision;
  const device = deviceOf(task);
  const greedy = async (changedRun: RunContents): Promise<PolicyReplay> =>
    (await replayRun(changedRun)).policies[0] as PolicyReplay;
  /** The same run, in which the first task was started a sub-slot later. */
  const later = (decisionBefore: readonly Decision[]): RunContents => {
    const moved = changed(run, "mec-1", (record) => {
      if (record.kind !== "action" || record.trial !== trial) return record;
      const others = record.decisions.filter((other) => other.task !== task);
      if (record.subSlot === subSlot) return { ...record, decisions: [...others, ...decisionBefore] };
      return record.subSlot === subSlot + 1 ? { ...record, decisions: [...others, decision] } : record;
    });
    return changed(moved, device, (record) =>
      record.kind === "outcome" && record.trial === trial && record.task === task
        ? { ...record, waitingSeconds: record.waitingSeconds + 0.25, delaySeconds: record.delaySeconds + 0.25 }
        : record,
    );
  };
  const firstOf = (replay: PolicyReplay) => replay.firsts.find((first) => first.laboratory.task === task);

  it("a task without a decision when it was due: its device's report was missed", async () => {
    expect(firstOf(await greedy(later([])))).toMatchObject({
      trial,
      cause: "report",
      laboratory: { subSlot: subSlot + 1 },
      simulator: { subSlot },
    });
  });

  it("a task that was not started although it was decided: the answer came too late", async () => {
    expect(firstOf(await greedy(later([decision])))).toMatchObject({ cause: "answer" });
  });

  it("a task that Fair decided in its policy's place, which would have started it", async () => {
    const fellBack = changed(later([{ ...decision, placement: "wait" }]), "mec-1", (record) =>
      record.kind === "action" && record.trial === trial && record.subSlot === subSlot
        ? { ...record, fallback: "late" }
        : record,
    );
    expect(firstOf(await greedy(fellBack))).toMatchObject({ cause: "fallback", laboratory: { subSlot: subSlot + 1 } });
  });

  it("a task that was found too expensive after its execution: its energy", async () => {
    const drained = changed(run, device, (record) =>
      record.kind === "outcome" && record.trial === trial && record.task === task
        ? { ...record, outcome: "drained", energyJoules: 120 }
        : record,
    );
    expect(firstOf(await greedy(drained))).toMatchObject({ cause: "energy", isFirst: true });
  });

  it("a task whose end nobody saw is lost, and pays the penalty", async () => {
    const lost = changed(run, device, (record) =>
      record.kind === "outcome" && record.trial === trial && record.task === task ? [] : record,
    );
    const replay = await greedy(lost);
    expect(firstOf(replay)).toMatchObject({ cause: "lost", laboratory: { outcome: "lost", reward: -10 } });
    expect(replay.gaps[0]?.difference.mean).toBeCloseTo(-1 / replay.tasks, 9);
  });
});

describe("text", () => {
  it("has a line for each policy and measure, and a table of causes for each policy", async () => {
    const replay = await replayRun(await simulatedRun(smallSettings, trials, latencies));
    const text = replayText(replay, "simulated hardware");
    for (const policy of policyNames) {
      expect(text.match(new RegExp(`^${policy} +(success|energy|waiting|reward)`, "gm"))).toHaveLength(4);
      expect(text).toMatch(new RegExp(`^${policy}: \\d+ of \\d+ tasks go differently, 0 with the latencies$`, "m"));
    }
    expect(text).toContain("\nsimulated hardware\n");
    expect(text).toContain(
      "  6.0 ms (p95 6.0) from the sub-slot's start to the task's; the decision came after 6.0 ms (p95 6.0)",
    );
    expect(text).toMatch(/its processor came free after a sub-slot's start, not before +\d+ +\d+ +7.3 ms/);
    expect(text).not.toContain("NaN");
  });

  it("warns first of a policy that learned in the laboratory", async () => {
    const run = await simulatedRun(smallSettings, trials);
    const sums = { transitions: 80, discarded: 0, updates: 80, losses: {} };
    const learned: JournalRecord = { time: 1, kind: "learning", trial: 1, policy: "pfr-oa", epoch: 1, ...sums };
    const journals = new Map([...run.journals, ["mec-1", [...(run.journals.get("mec-1") ?? []), learned]]]);
    expect(replayText(await replayRun({ ...run, journals }), "")).toMatch(/^WARNING: pfr-oa learned during the run/);
    expect(replayText(await replayRun(run), "")).not.toContain("WARNING");
    const uplinkRateRatios = { "ed-1-1": 0.5, "ed-1-2": 1 };
    const laboratory = { ...run.laboratory, link: "corrected", uplinkRateRatios } as const;
    const text = replayText(await replayRun({ ...run, laboratory }), "");
    expect(text).toContain("WARNING: the manifest had ed-1-1 upload at 0.5 of the theory's rate");
    expect(text).not.toContain("ed-1-2 upload");
    expect(text).toContain("WARNING: leases were corrected by what uploads took");
  });

  it("says that a run has no trial to compare", async () => {
    const run = { ...(await simulatedRun(smallSettings, trials)), trials: [] };
    expect(replayText(await replayRun(run), "")).toBe("no trial came to its end: there is nothing to compare");
  });

  it("leaves the trials of an endpoint out, and says so", async () => {
    const run = await simulatedRun(smallSettings, trials);
    const url = "http://127.0.0.1:8080/decide";
    const asked = run.trials.map((trial) => (trial.policy === "greedy" ? { ...trial, policy: url } : trial));
    const replay = await replayRun({ ...run, trials: asked });
    expect(replay.policies.map(({ policy }) => policy)).toEqual(policyNames.filter((name) => name !== "greedy"));
    expect(replay.notRepeated).toEqual([url]);
    expect(replayText(replay, "")).toContain(`${url}: an endpoint's answers cannot be repeated`);
  });

  it("is honest about a limit that is exceeded", async () => {
    const slow = { start: seconds(0.1), local: seconds(0), edge: seconds(0) };
    const replay = await replayRun(await simulatedRun(presets.testbed, trials, slow));
    const waiting = replay.policies[0]?.gaps.find(({ measure }) => measure === "waitingSeconds");
    expect(waiting).toMatchObject({ limit: 0.05, isWithin: false });
    expect(replayText(replay, "")).toContain(" NO ");
  });
});
