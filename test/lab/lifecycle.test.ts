import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkArchive, readStatus } from "@offloadlab/records";
import { afterEach, expect, test } from "vitest";
import { isAlive, offload, RehearsalProcess, sharedHome, shortManifest, temporaryFolder } from "./rehearsal-process.ts";

let rehearsal: RehearsalProcess | undefined;
afterEach(async () => {
  await rehearsal?.remove();
  rehearsal = undefined;
});

test("Ctrl-C while the daemons start ends at once and leaves nothing running", async () => {
  rehearsal = new RehearsalProcess();
  await rehearsal.line(/starting 13 daemons/);
  rehearsal.interrupt();
  const { code, stderr } = await rehearsal.ended;
  expect(code, stderr).toBe(130);
  expect(stderr).toContain("stopping");
  expect(existsSync(join(rehearsal.folder, "home", "lab.json"))).toBe(false);
});

test("a second lab in the same home is refused and leaves the first alone", async () => {
  rehearsal = new RehearsalProcess([], { policies: ["fair"] });
  await rehearsal.line(/starting 13 daemons/);
  const images = ["--images", join(sharedHome, "images")];
  const second = await offload("lab", "up", "--rehearsal", "--home", join(rehearsal.folder, "home"), ...images);
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(
    /a lab is up already \(process \d+\); stop it with Ctrl-C there, or use another --home/,
  );
  expect((await rehearsal.ended).code).toBe(0);
});

test("a run that was never sealed is sealed as invalid at the next start, which then runs its own", async () => {
  const runs = join(temporaryFolder(), "runs");
  const left = join(runs, "20260101-000000-left-0000");
  mkdirSync(left, { recursive: true });
  writeFileSync(join(left, "manifest.yaml"), readFileSync(shortManifest(temporaryFolder())));
  rehearsal = new RehearsalProcess(["--runs", runs], { policies: ["fair"] });
  const { code, stderr } = await rehearsal.ended;
  expect(code, stderr).toBe(0);
  expect(readStatus(readFileSync(join(left, "status"), "utf8"))).toMatchObject({
    state: "invalid",
    reasons: ["the C-BS was restarted in the midst of the run, and no node of it was left"],
  });
  expect((await checkArchive(left)).problems).toEqual([]);
});

test("Ctrl-C while somebody's `offload run` is on seals that run first", async () => {
  rehearsal = new RehearsalProcess(["--serve"], { policies: ["fair"], settings: { time_slot_count: 1 } });
  await rehearsal.line(/Ctrl-C ends the lab/);
  const { nodes } = rehearsal.lab();
  const manifest = shortManifest(temporaryFolder(), { name: "second", settings: { time_slot_count: 12 } });
  const run = offload("run", manifest, "--home", join(rehearsal.folder, "home"));
  const runs = join(rehearsal.folder, "runs");
  const folder = () => readdirSync(runs).find((name) => name.includes("second"));
  const begun = () => existsSync(join(runs, folder() ?? "", "journals", "ed-1-1.ndjson"));
  await expect.poll(begun, { timeout: 15_000 }).toBe(true);
  rehearsal.interrupt();
  await rehearsal.ended;
  await run;
  expect(Object.values(nodes).filter(isAlive)).toEqual([]);
  const report = await checkArchive(join(runs, folder() as string));
  expect(report.status?.state).toBe("interrupted");
  expect(report.problems).toEqual([]);
});
