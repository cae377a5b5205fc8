import { readdirSync } from "node:fs";
import { join } from "node:path";
import {
  attemptsOf,
  checkArchive,
  type JournalRecord,
  readRun,
  replayFederations,
  warmUpTrial,
} from "@offloadlab/records";
import { afterEach, expect, test } from "vitest";
import { completeRun, isAlive, RehearsalProcess } from "./rehearsal-process.ts";

let rehearsal: RehearsalProcess | undefined;
afterEach(async () => {
  await rehearsal?.remove();
  rehearsal = undefined;
});

const archiveOf = ({ folder }: RehearsalProcess): string => {
  const runs = join(folder, "runs");
  return join(runs, readdirSync(runs)[0] as string);
};

/** Starts a run that learns and federates, kills one node in the midst of its third trial, and waits for the run's end. */
const killInMidRun = async (node: string) => {
  const killed = async (): Promise<{ last: string; stdout: string }> => {
    await rehearsal?.remove();
    rehearsal = new RehearsalProcess([], {
      ...{ policies: ["pfr-oa"], repetitions: 5, training: { epochs: 2 }, learning: { federate_every: 1 } },
      clock_speed_ratio: 1,
      settings: { time_slot_count: 6, communities: { each: { device_count: 1 } } },
    });
    await rehearsal.line(/trial 3 of 5/);
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
  const archive = archiveOf(rehearsal as RehearsalProcess);
  return { stdout, report: await checkArchive(archive), run: await readRun(archive) };
};

const federatedRounds = (records: readonly JournalRecord[]): number[] =>
  records.flatMap((record) => (record.kind === "round" || record.kind === "round-skipped" ? [record.round] : []));

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
    expect(federatedRounds(records)).toEqual([1, 2, 3, 4]);
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

test("Ctrl-C in mid-run ends every process and leaves a sealed archive that says so", async () => {
  rehearsal = new RehearsalProcess([], { settings: { time_slot_count: 12 } });
  await rehearsal.line(/trial 1 of 2/);
  const { nodes } = rehearsal.lab();
  rehearsal.child.kill("SIGINT");
  const { code } = await rehearsal.ended;
  expect(code).toBe(130);
  expect(Object.values(nodes).filter(isAlive)).toEqual([]);
  const report = await checkArchive(archiveOf(rehearsal));
  expect(report.status?.state).toBe("interrupted");
  expect(report.problems).toEqual([]);
}, 90_000);
