import { join } from "node:path";
import { archiveFiles, attemptsOf, checkArchive, readRun, replayFederations, warmUpTrial } from "@offloadlab/records";
import { afterEach, expect, test } from "vitest";
import { GrowingJournal } from "./growing-journal.ts";
import { besidesBusyMachine, completeRun, isAlive, RehearsalProcess } from "./rehearsal-process.ts";
import { openingOf, reportedUpdates, roundEnds } from "./round-records.ts";

let rehearsal: RehearsalProcess | undefined;
afterEach(async () => {
  await rehearsal?.remove();
  rehearsal = undefined;
});

/** A run that learns, with a round after each trial but the last. */
const federated = {
  ...{ policies: ["pfr-oa"], repetitions: 5, training: { epochs: 2 }, learning: { federate_every: 1 } },
  clock_speed_ratio: 1,
  settings: { time_slot_count: 6, communities: { each: { device_count: 1 } } },
};

/** Starts a run that learns and federates, kills one node in the midst of its third trial, and waits for the run's end. */
const killInMidRun = async (node: string) => {
  const killed = async (): Promise<{ last: string; stdout: string }> => {
    await rehearsal?.remove();
    rehearsal = new RehearsalProcess([], federated);
    await rehearsal.line(/trial 3 of 5/);
    const { archive, ended } = rehearsal;
    const device = new GrowingJournal(join(archive, archiveFiles.journal("ed-2-1")), ended);
    await device.until("a task of trial 3", (records) =>
      records.find((record) => record.kind === "generated" && record.trial === 3),
    );
    const { nodes } = rehearsal.lab();
    process.kill(nodes[node] as number, "SIGKILL");
    await rehearsal.line(new RegExp(`${node} ended \\(SIGKILL\\), starting it again`));
    const last = await rehearsal.line(/^run .* is (complete|invalid|interrupted)/);
    return { last, stdout: (await rehearsal.ended).stdout };
  };
  let stdout = "";
  await completeRun(async () => {
    const { last, stdout: printed } = await killed();
    stdout = printed;
    return last;
  });
  const { archive } = rehearsal as RehearsalProcess;
  return { stdout, report: await checkArchive(archive), run: await readRun(archive) };
};

for (const [node, reason] of [
  ["ed-2-1", /^ed-2-1 was (restarted|lost) in the midst of it/],
  ["mec-2", /^mec-2 was (restarted|lost) in the midst of it/],
  ["cbs", /^the C-BS was restarted in the midst of it/],
] as const) {
  test(`kill -9 of ${node} in mid-run: its trial is abandoned and repeated, the run learns, federates and completes`, async () => {
    const { stdout, report, run } = await killInMidRun(node);
    expect(report.status?.state).toBe("complete");
    expect(report.problems).toEqual([]);
    expect(report.trials).toBe(5);
    // What was abandoned is counted and told.
    expect(report.abandoned).toMatchObject([{ policy: "pfr-oa", repeatedAs: expect.any(Number) }]);
    expect(report.abandoned[0]?.reason).toMatch(reason);
    expect((JSON.parse(stdout) as { data: { abandoned: unknown } }).data.abandoned).toEqual(report.abandoned);
    // All arrivals are those of the schedule.
    expect(run.trials.map(({ seed }) => seed)).toEqual(run.scheduled.map(({ seed }) => seed));
    const records = run.journals.get("cbs") ?? [];
    expect(attemptsOf(records).filter(({ scheduled }) => scheduled === warmUpTrial)).toHaveLength(2);
    // A round before each trial but the first; its state is what a replay of the journal gives.
    expect(roundEnds(records).map(({ round }) => round)).toEqual([1, 2, 3, 4]);
    expect(replayFederations(records).map(({ problems, course }) => [problems, course.round])).toEqual([[[], 4]]);
    // Every server's learner has been through the trials that count, one after the other.
    const counted = new Set(run.trials.map(({ number }) => number));
    for (const server of ["mec-1", "mec-2", "mec-3"]) {
      const learned = (run.journals.get(server) ?? []).flatMap((r) => (r.kind === "learning" ? [r] : []));
      const epochs = learned.filter(({ trial }) => counted.has(trial)).map(({ epoch }) => epoch);
      expect(epochs).toEqual([3, 4, 5, 6, 7]);
    }
  }, 360_000);
}

test("a server killed between a trial and its round has in that round all that it learned before", async () => {
  rehearsal = new RehearsalProcess([], federated);
  await rehearsal.line(/warming up|trial 1 of/);
  const station = new GrowingJournal(join(rehearsal.archive, archiveFiles.journal("cbs")), rehearsal.ended);
  let early: number | undefined;
  // Now and then the round is faster than the kill.
  for (let round = 1; round < federated.repetitions && early === undefined; round++) {
    await station.until(`trial ${round} to end`, (all) =>
      attemptsOf(all).find(({ scheduled, hasEnded }) => scheduled === round && hasEnded),
    );
    process.kill(rehearsal.daemons().get("mec-2") as number, "SIGKILL");
    const at = (performance.timeOrigin + performance.now()) / 1000;
    const { time } = await station.until(`round ${round} to open`, (all) => openingOf(all, round));
    if (at < time) early = round;
  }
  await rehearsal.ended;
  // A busy machine may spoil the run's numbers, which are not looked at here.
  const { problems, trials, status } = await checkArchive(rehearsal.archive);
  expect([problems, trials, besidesBusyMachine(status?.reasons ?? [])]).toEqual([[], federated.repetitions, []]);
  const updates = reportedUpdates(await readRun(rehearsal.archive));
  for (const { round, node, reported, learned } of updates)
    expect({ round, node, updates: reported }).toEqual({ round, node, updates: learned });
  const afterKill = updates.find(({ round, node }) => round === early && node === "mec-2");
  expect(afterKill?.reported).toBeGreaterThan(0);
}, 360_000);

test("every process killed at once: the C-BS that comes back finds no node of the run, and seals it as invalid", async () => {
  rehearsal = new RehearsalProcess([], federated);
  await rehearsal.line(/trial 2 of 5/);
  const daemons = rehearsal.daemons();
  expect([...daemons.keys()].sort()).toEqual(["cbs", "ed-1-1", "ed-2-1", "ed-3-1", "mec-1", "mec-2", "mec-3"]);
  for (const pid of daemons.values()) process.kill(pid, "SIGKILL");
  await rehearsal.ended;
  const { status, problems, trials, abandoned } = await checkArchive(rehearsal.archive);
  const reason = "the C-BS was restarted in the midst of the run, and no node of it was left";
  expect(status).toMatchObject({ state: "invalid", reasons: [reason] });
  // Nodes came back with their journals: what had come to its end is whole.
  expect(problems).toEqual([]);
  expect(trials).toBe(1);
  for (const { trial, reason: why, repeatedAs } of abandoned)
    expect([trial, why, repeatedAs]).toEqual([2, "the C-BS was restarted in the midst of it", null]);
}, 240_000);

test("Ctrl-C in mid-run ends every process and leaves a sealed archive that says so", async () => {
  rehearsal = new RehearsalProcess([], { settings: { time_slot_count: 12 } });
  await rehearsal.line(/trial 1 of 2/);
  const { nodes } = rehearsal.lab();
  rehearsal.interrupt();
  const { code } = await rehearsal.ended;
  expect(code).toBe(130);
  expect(Object.values(nodes).filter(isAlive)).toEqual([]);
  const report = await checkArchive(rehearsal.archive);
  expect(report.status?.state).toBe("interrupted");
  expect(report.problems).toEqual([]);
}, 90_000);
