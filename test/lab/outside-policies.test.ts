import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { type AnswerRow, checkArchive, type JournalRecord, type Replay, readRun } from "@offloadlab/records";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import {
  completeRun,
  type Ended,
  offload,
  RehearsalProcess,
  shortManifest,
  temporaryFolder,
} from "./rehearsal-process.ts";

const examples = join(import.meta.dirname, "../../examples");

let rehearsal: RehearsalProcess | undefined;
let endpoint: ChildProcess | undefined;
let url: string;
let model: string;
let ended: Ended;
let data: { state: string; archive: string; rows: { policy: string; community: string }[]; answers: AnswerRow[] };
let records: readonly JournalRecord[];

beforeAll(async () => {
  model = join(temporaryFolder(), "greedy.onnx");
  execFileSync("python3", [join(examples, "greedy_onnx.py"), model]);
  await completeRun(async () => {
    endpoint?.kill("SIGKILL");
    await rehearsal?.remove();
    endpoint = spawn("python3", [join(examples, "http_policy.py"), "0"], { stdio: ["ignore", "pipe", "inherit"] });
    [url] = (await once(createInterface(endpoint.stdout as NodeJS.ReadableStream), "line")) as [string];
    // Long enough that one who reads the journal's growth can act in the middle of the endpoint's only trial.
    rehearsal = new RehearsalProcess(["--policy", model, "--policy", url], {
      ...{ policies: ["fair"], repetitions: 1 },
      settings: { time_slot_count: 12 },
    });
    await killAmidTrial(rehearsal, endpoint);
    ended = await rehearsal.ended;
    return ended.stderr;
  });
  ({ data } = JSON.parse(ended.stdout) as { data: typeof data });
  records = [...(await readRun(data.archive)).journals.values()].flat();
}, 600_000);
afterAll(async () => {
  endpoint?.kill("SIGKILL");
  await rehearsal?.remove();
});

/** Ends the endpoint once it has decided some sub-slots of its trial. */
const killAmidTrial = async (lab: RehearsalProcess, victim: ChildProcess): Promise<void> => {
  await lab.line(new RegExp(`trial \\d of 3.*${url}`));
  const runs = join(lab.folder, "runs");
  const decided = (): number => {
    const [run = ""] = readdirSync(runs);
    const lines = readFileSync(join(runs, run, "journals/cbs.ndjson"), "utf8").split("\n");
    const own = lines.some((line) => line.includes('"kind":"trial"') && line.includes(url));
    const mec = readFileSync(join(runs, run, "journals/mec-1.ndjson"), "utf8").split("\n");
    const trial = /"trial":(\d+)/.exec(lines.findLast((line) => line.includes(url)) ?? "")?.[1];
    return own ? mec.filter((line) => line.includes('"action"') && line.includes(`"trial":${trial},`)).length : 0;
  };
  await vi.waitUntil(() => decided() > 4, { timeout: 60_000, interval: 50 });
  victim.kill("SIGKILL");
};

test("runs a model and an endpoint beside Fair, and ends complete", () => {
  expect(ended.code, ended.stderr).toBe(0);
  expect(data.state).toBe("complete");
  const all = data.rows.filter(({ community }) => community === "all").map(({ policy }) => policy);
  expect(all.sort()).toEqual(["fair", model, url].sort());
});

test("the model decided every sub-slot itself", () => {
  const own = data.answers.filter(({ policy }) => policy === model);
  expect(own.map(({ community }) => community)).toEqual(["R1", "R2", "R3"]);
  for (const { asked, adjusted, fallbacks } of own) {
    expect(asked).toBeGreaterThanOrEqual(48);
    // A late answer of a busy machine is Fair's, and counted as such.
    expect(fallbacks).toMatchObject({ unreachable: 0, refused: 0, malformed: 0 });
    expect(fallbacks.late).toBeLessThan(asked / 10);
    expect(adjusted).toBe(0);
  }
});

test("where the endpoint was gone Fair decided, and each of these sub-slots is counted, by its reason", () => {
  const own = data.answers.filter(({ policy }) => policy === url);
  expect(own).toHaveLength(3);
  for (const { asked, fallbacks } of own) {
    expect(asked).toBeGreaterThanOrEqual(48);
    const byFair = Object.values(fallbacks).reduce((sum, count) => sum + count, 0);
    expect(fallbacks.unreachable).toBeGreaterThan(5);
    // It decided before it was killed.
    expect(byFair).toBeLessThan(asked);
  }
  const actions = records.filter((record) => record.kind === "action" && record.fallback === "unreachable");
  expect(actions).toHaveLength(own.reduce((sum, { fallbacks }) => sum + fallbacks.unreachable, 0));
});

test("its archive keeps the model as it was sent, is accepted, and reported with what was counted", async () => {
  expect(readdirSync(join(data.archive, "policies"))).toEqual([
    expect.stringMatching(/greedy\.onnx-[0-9a-f]{8}\.json$/),
  ]);
  expect((await checkArchive(data.archive)).problems).toEqual([]);
  const { stdout } = await offload("report", data.archive);
  expect(stdout).toMatch(new RegExp(`${url}: Fair decided \\d+ of \\d+ sub-slots \\(.*unreachable \\d+`));
});

test("the simulator repeats the model's trial, and says that an endpoint's cannot be", async () => {
  const { code, stdout, stderr } = await offload("replay", data.archive, "--format", "json");
  expect(code, stderr).toBe(0);
  const { data: replay } = JSON.parse(stdout) as { data: Replay };
  expect(replay.policies.map(({ policy }) => policy)).toEqual(["fair", model]);
  expect(replay.notRepeated).toEqual([url]);
  const own = replay.policies.find(({ policy }) => policy === model);
  expect(own?.differing).toBeLessThanOrEqual(0.3 * (own?.tasks ?? 0));
});

test("compare finds a model that its command line names where it was called, not beside the manifest", async () => {
  const elsewhere = temporaryFolder();
  const manifest = shortManifest(elsewhere, { policies: ["fair"], settings: { time_slot_count: 2 } });
  const path = relative(process.cwd(), model);
  const places = ["--home", join(elsewhere, "home"), "--runs", join(elsewhere, "runs"), "--format", "json"];
  const on = ["--on", "rehearsal", "--policies", `greedy,${path}`];
  const { stdout, stderr } = await offload("compare", manifest, ...on, ...places);
  const { data: compared } = JSON.parse(stdout) as { data?: typeof data };
  const policies = new Set(compared?.rows.map(({ policy }) => policy));
  expect([...policies].sort(), stderr).toEqual([path, "greedy"].sort());
  rmSync(elsewhere, { recursive: true });
}, 120_000);
