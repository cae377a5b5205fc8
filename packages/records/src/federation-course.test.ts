import { pfrOa } from "@offloadlab/federation";
import { count, ratio } from "@offloadlab/units";
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  afterRound,
  afterSkippedRound,
  decideRound,
  type FederationSetup,
  federationBegin,
  replayFederations,
  type Update,
} from "./federation-course.ts";
import { asJournalled } from "./journal.ts";
import type { NewRecord } from "./journal-records.ts";
import { stamped } from "./journals.test-helper.ts";

const policy = "pfr-oa";
const setup: FederationSetup = {
  policy,
  nodes: ["mec-1", "mec-2", "mec-3"],
  shapes: { actor: 2, critic: 2 },
  settings: { ...pfrOa, participantCount: count(2), greedyProbability: ratio(1) },
  minimumReports: 2,
  seed: 1,
};
const update = (round: number, node: number, change: Partial<Update> = {}): Update => ({
  policy,
  round,
  node: `mec-${node}`,
  digest: `sha-256=:${node}:`,
  bytes: 100,
  updates: 10,
  meanAbsoluteReward: 1,
  losses: { actor: 1, critic: node },
  diverged: false,
  ...change,
});
const begin = federationBegin(setup);

it("Alg. 2: averages the best of those that reported", () => {
  expect(decideRound(setup, begin, [update(1, 3), update(1, 1), update(1, 2)])).toMatchObject({
    kind: "average",
    plan: { round: 1, participants: [0, 1] },
  });
  expect(decideRound(setup, begin, [update(1, 3), update(1, 2)])).toMatchObject({ plan: { participants: [1, 2] } });
});

it("skips a round when too few reported, or learned anything", () => {
  const reason = "only 1 of 3 servers reported what they have learned, 2 are needed";
  expect(decideRound(setup, begin, [update(1, 3)])).toEqual({ kind: "skip", reason });
  const idle = update(1, 1, { updates: 0, losses: { actor: 0, critic: 0 } });
  expect(decideRound(setup, begin, [update(1, 3), idle])).toEqual({ kind: "skip", reason });
  expect(decideRound(setup, begin, [update(1, 3), idle, update(1, 2)])).toMatchObject({
    plan: { participants: [1, 2] },
  });
});

it("a learner without a reward has had no task: it is left out, and has not diverged", () => {
  const decision = decideRound(setup, begin, [update(1, 1, { meanAbsoluteReward: 0 }), update(1, 2), update(1, 3)]);
  expect(decision).toMatchObject({ kind: "average", plan: { participants: [1, 2] } });
  if (decision.kind !== "average") throw new RangeError("expected a plan");
  expect(decision.plan.communities[0]).toMatchObject({ startsAnew: false, globalShare: 0.3 });
});

it("a learner that has diverged, or whose loss has, starts again from the global model", () => {
  const updates = [
    update(1, 1, { diverged: true }),
    update(1, 2, { losses: { actor: 1, critic: null } }),
    update(1, 3),
  ];
  const decision = decideRound(setup, begin, updates);
  if (decision.kind !== "average") throw new RangeError("expected a plan");
  expect(decision.plan.participants).toEqual([2]);
  expect(decision.plan.communities.map(({ startsAnew }) => startsAnew)).toEqual([true, true, false]);
  expect(decision.plan.communities.map(({ globalShare }) => globalShare)).toEqual([1, 1, 0.3]);
  const all = updates.map((each) => ({ ...each, diverged: true }));
  expect(decideRound(setup, begin, all)).toEqual({ kind: "skip", reason: "every learner that reported has diverged" });
});

/** What the C-BS journals and keeps of rounds with these updates. */
const carriedOut = (rounds: readonly (readonly Update[])[]) => {
  let course = begin;
  const records: NewRecord[] = [{ kind: "federation", ...setup }];
  for (const updates of rounds.map((each) => each.map(asJournalled))) {
    const round = course.round + 1;
    records.push({ kind: "round-open", policy, round, trial: 0, deadlineInSeconds: 1 });
    for (const each of updates) records.push({ kind: "update", ...each });
    const decision = decideRound(setup, course, updates);
    if (decision.kind === "skip") {
      records.push({ kind: "round-skipped", policy, round, reason: decision.reason });
      course = afterSkippedRound(course);
    } else {
      const { participants, communities } = decision.plan;
      records.push({ kind: "round", policy, round, participants, communities, digest: `round ${round}`, bytes: 1 });
      course = afterRound(decision.plan, `round ${round}`);
    }
  }
  return { course, records };
};

const loss = fc.double({ min: 0, max: 1e6, noNaN: true });
const someUpdates = (round: number) =>
  fc
    .subarray([1, 2, 3])
    .chain((nodes) =>
      fc.tuple(
        ...nodes.map((node) =>
          fc
            .record({ updates: fc.nat(3), meanAbsoluteReward: loss, actor: loss, critic: fc.option(loss) })
            .map(({ updates, meanAbsoluteReward, actor, critic }) =>
              update(round, node, { updates, meanAbsoluteReward, losses: { actor, critic } }),
            ),
        ),
      ),
    );
const someRounds = fc.nat(12).chain((n) => fc.tuple(...Array.from({ length: n }, (_, i) => someUpdates(i + 1))));

it("a replay of the journal gives the state that was kept, whatever the rounds", () => {
  fc.assert(
    fc.property(someRounds, (rounds) => {
      const { course, records } = carriedOut(rounds);
      const journal = stamped(records).map(asJournalled);
      // Another federation of the same run is another matter.
      const other = journal.map((record) => ("policy" in record ? { ...record, policy: "mcf-td3" } : record));
      expect(replayFederations([...journal, ...other])).toEqual([
        { setup, course, problems: [] },
        { setup: { ...setup, policy: "mcf-td3" }, course, problems: [] },
      ]);
    }),
  );
});

it("a journal without a federation has nothing to replay", () => {
  expect(replayFederations(stamped([{ kind: "run", state: "preparing" }]))).toEqual([]);
});

it("notices rounds that do not follow from their updates", () => {
  const rounds = [1, 2].map((round) => [1, 2, 3].map((node) => update(round, node)));
  const { records } = carriedOut(rounds);
  const problemsOf = (change: (record: NewRecord) => NewRecord[]) =>
    replayFederations(stamped(records.flatMap(change)))[0]?.problems;
  const first = (record: NewRecord, kind: NewRecord["kind"]): boolean =>
    record.kind === kind && "round" in record && record.round === 1;

  expect(problemsOf((record) => [record])).toEqual([]);
  expect(problemsOf((record) => (first(record, "round") ? [] : [record]))?.[0]).toBe("round 2 follows round 0");
  const other = { participants: [0, 2] };
  expect(problemsOf((record) => [first(record, "round") ? { ...record, ...other } : record])).toEqual([
    "round 1: its plan does not follow from the updates and the rounds before",
  ]);
  expect(problemsOf((record) => (first(record, "update") ? [] : [record]))?.[0]).toBe(
    "round 1 took place, but only 0 of 3 servers reported what they have learned, 2 are needed",
  );
  expect(problemsOf((record) => (first(record, "update") ? [record, record] : [record]))).toContain(
    "round 1: a server was taken in twice",
  );
  expect(problemsOf((record) => [first(record, "update") ? { ...record, node: "mec-9" } : record])).toContain(
    "round 1: an update of mec-9 is not of this round",
  );
});
