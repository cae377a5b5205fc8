import { readdirSync } from "node:fs";
import { join } from "node:path";
import { checkArchive } from "@offloadlab/records";
import { afterEach, expect, test } from "vitest";
import { isAlive, RehearsalProcess } from "./rehearsal-process.ts";

let rehearsal: RehearsalProcess | undefined;
afterEach(async () => {
  await rehearsal?.remove();
  rehearsal = undefined;
});

/** Starts a run, kills one node in the midst of a trial, and waits for the run's end. */
const killInMidRun = async (node: string) => {
  rehearsal = new RehearsalProcess(["--serve"], { settings: { time_slot_count: 12 } });
  await rehearsal.line(/trial 1 of 2/);
  const { nodes } = rehearsal.lab();
  process.kill(nodes[node] as number, "SIGKILL");
  await rehearsal.line(new RegExp(`${node} ended \\(SIGKILL\\), starting it again`));
  const last = await rehearsal.line(/^run .* is (complete|invalid|interrupted)/);
  const others = Object.entries(nodes).filter(([id]) => id !== node);
  expect(others.filter(([, pid]) => !isAlive(pid))).toEqual([]);
  const runs = join(rehearsal.folder, "runs");
  const archive = join(runs, readdirSync(runs)[0] as string);
  return { last, report: await checkArchive(archive) };
};

for (const [node, reason] of [
  ["ed-2-1", /is invalid: ed-2-1 was (restarted|lost) in the midst of the run/],
  ["mec-2", /is invalid: mec-2 was (restarted|lost) in the midst of the run/],
  ["cbs", /is invalid: the C-BS was restarted in the midst of the run/],
] as const) {
  test(`kill -9 of ${node} in mid-run: no other process dies, the run ends as invalid, every task has one outcome`, async () => {
    const { last, report } = await killInMidRun(node);
    expect(last).toMatch(reason);
    expect(report.status?.state).toBe("invalid");
    expect(report.problems).toEqual([]);
    expect(report.tasks).toBeGreaterThan(5);
  }, 90_000);
}

test("Ctrl-C in mid-run ends every process and leaves a sealed archive that says so", async () => {
  rehearsal = new RehearsalProcess([], { settings: { time_slot_count: 12 } });
  await rehearsal.line(/trial 1 of 2/);
  const { nodes } = rehearsal.lab();
  rehearsal.child.kill("SIGINT");
  const { code } = await rehearsal.ended;
  expect(code).toBe(130);
  expect(Object.values(nodes).filter(isAlive)).toEqual([]);
  const runs = join(rehearsal.folder, "runs");
  const report = await checkArchive(join(runs, readdirSync(runs)[0] as string));
  expect(report.status?.state).toBe("interrupted");
  expect(report.problems).toEqual([]);
}, 90_000);
