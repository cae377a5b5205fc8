import { join } from "node:path";
import { randomStream } from "@offloadlab/model";
import {
  archiveFiles,
  attemptsOf,
  checkArchive,
  checkFederation,
  readRun,
  replayFederations,
  tooManyAbandoned,
} from "@offloadlab/records";
import { afterEach, expect, test } from "vitest";
import { GrowingJournal } from "../lab/growing-journal.ts";
import { besidesBusyMachine, RehearsalProcess } from "../lab/rehearsal-process.ts";
import { openingOf, type RoundEnd, reportedUpdates, roundEnds } from "../lab/round-records.ts";
import { Killer } from "./killer.ts";

const roundCount = 30;
const killCount = 100;
/** From a trial's start: most of it, and the time in which the first ones come back. */
const burstSeconds = 3;
/** From a round's opening: about as long as one lasts that nobody disturbs. */
const roundSeconds = 0.1;
const nodes = ["cbs", "mec-1", "mec-2", "mec-3", "ed-1-1", "ed-2-1", "ed-3-1"];

let rehearsal: RehearsalProcess | undefined;
afterEach(async () => {
  await rehearsal?.remove();
  rehearsal = undefined;
});

test(`${killCount} kills over ${roundCount} rounds: every round ends, and the final state is the journals'`, async () => {
  rehearsal = new RehearsalProcess([], {
    ...{ policies: ["pfr-oa"], repetitions: roundCount + 1, training: { epochs: 2 }, learning: { federate_every: 1 } },
    clock_speed_ratio: 1,
    // Short trials that hardly ever have no task at all: of those, a round learns nothing.
    settings: { time_slot_count: 2, communities: { each: { device_count: 1, workload: { tasks_per_time_slot: 2 } } } },
  });
  await rehearsal.line(/warming up|trial 1 of/);
  const station = new GrowingJournal(join(rehearsal.archive, archiveFiles.journal("cbs")), rehearsal.ended);
  const killer = new Killer(rehearsal, nodes, randomStream(2026, "kills"));
  const { kills } = killer;
  const opened: number[] = [];
  const ended: RoundEnd[] = [];
  // Bursts in one attempt at each trial and at its round, then none until that round is over: the run gets on.
  for (let round = 1; round <= roundCount; round++) {
    const due = Math.round((killCount * round) / roundCount) - kills.length;
    await station.until(`trial ${round}`, (all) => attemptsOf(all).find(({ scheduled }) => scheduled === round));
    await killer.kill(due - 1, burstSeconds);
    opened.push((await station.until(`round ${round} to open`, (all) => openingOf(all, round))).time);
    await killer.kill(1, roundSeconds);
    ended.push(await station.until(`round ${round} to end`, (all) => roundEnds(all).find((e) => e.round === round)));
  }
  expect(kills).toHaveLength(killCount);
  const last = await rehearsal.line(/^run .* is (complete|invalid|interrupted)/);
  const { stderr } = await rehearsal.ended;

  const { archive } = rehearsal;
  const run = await readRun(archive);
  const records = run.journals.get("cbs") ?? [];
  const rounds = roundEnds(records);
  const skipped = rounds.flatMap((end) => (end.kind === "round-skipped" ? [end] : []));
  const ofRole = (role: string): number => kills.filter(({ node }) => node.startsWith(role)).length;
  const within = kills.filter(({ at }) => opened.some((open, i) => open <= at && at <= (ended[i] as RoundEnd).time));
  const abandoned = attemptsOf(records).filter((attempt) => attempt.abandoned !== null);
  const killed = ["cbs", "mec", "ed"].map((role) => `${ofRole(role)} ${role}`).join(", ");
  console.log(`${killCount} kills: ${killed}; ${within.length} of them while a round was open`);
  console.log(`${rounds.length - skipped.length} rounds averaged, ${skipped.length} skipped, each with a reason`);
  console.log(`${abandoned.length} trials abandoned; ${last}`);

  // Nobody was started by hand: the lab's supervisor saw every kill, and started again whom it hit.
  expect(stderr.match(/ ended \((SIGKILL|did not start)\), starting it again$/gm)).toHaveLength(killCount);
  expect(stderr).not.toMatch(/is not started again/);
  for (const role of ["cbs", "mec", "ed"]) expect(ofRole(role)).toBeGreaterThan(5);
  expect(within.length).toBeGreaterThan(5);

  // Every round has one end: averaged, or skipped with a reason.
  expect(rounds.map(({ round }) => round)).toEqual(Array.from({ length: roundCount }, (_, i) => i + 1));
  for (const { reason } of skipped) expect(reason).toMatch(/^only [01] of 3 servers reported what they have learned/);
  expect(rounds.length - skipped.length).toBeGreaterThan(roundCount / 2);
  // What servers report is what they have learned in the trials that count, once.
  for (const { round, node, reported, learned } of reportedUpdates(run))
    expect({ round, node, updates: reported }).toEqual({ round, node, updates: learned });

  // The final state is what the journals give, to the last bit of every model on the way.
  const [replay] = replayFederations(records);
  expect(replay?.problems).toEqual([]);
  expect(replay?.course.round).toBe(roundCount);
  expect(await checkFederation(archive, run.journals, true)).toEqual([]);
  const { result } = replay?.course ?? {};
  for (const server of ["mec-1", "mec-2", "mec-3"]) {
    const adopted = run.journals.get(server)?.findLast(({ kind }) => kind === "adopted");
    expect({ server, ...adopted }).toMatchObject({ server, round: result?.round, digest: result?.digest });
  }

  // Every trial of the schedule has come to its end, and of the archive nothing is wrong but what it says itself.
  const report = await checkArchive(archive);
  expect(report.problems).toEqual([]);
  expect(report.trials).toBe(roundCount + 1);
  expect(report.status?.state).toBe("invalid");
  expect(besidesBusyMachine(report.status?.reasons ?? [])).toEqual([tooManyAbandoned(run.scheduled, report.abandoned)]);
});
