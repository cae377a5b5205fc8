import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runOnSlurm, type SlurmProgress, type SlurmSweep } from "../../apps/cli/src/slurm.ts";
import type { DrivenSweep } from "./drive.ts";
import { SingleNode, slurmAbsent } from "./single-node.ts";

type Action = "fail" | "crash" | "wait";
type Plan = Readonly<Record<number, readonly Action[]>>;

const root = join(import.meta.dirname, "../..");
const always = (action: Action): Action[] => Array.from({ length: 20 }, () => action);

if (slurmAbsent !== undefined) afterAll(() => console.log(`\n${slurmAbsent}`));

describe.skipIf(slurmAbsent !== undefined)("on a Slurm of one node", () => {
  let node: SingleNode;
  let folder: string;

  beforeAll(async () => {
    node = await SingleNode.start();
    process.env["SLURM_CONF"] = node.configFile;
  });
  afterAll(async () => {
    await node?.stop();
    delete process.env["SLURM_CONF"];
    expect(node?.processes() ?? []).toEqual([]);
  });
  beforeEach(() => {
    folder = mkdtempSync(join(node.folder, "it's 100%a sweep-"));
  });

  /** A sweep whose trials do what is planned. */
  const planned = (count: number, plan: Plan = {}, changes: Partial<DrivenSweep> = {}): DrivenSweep => {
    mkdirSync(join(folder, "trials"));
    writeFileSync(join(folder, "plan.json"), JSON.stringify(plan));
    return {
      folder,
      trials: Array.from({ length: count }, (_, index) => index + 1),
      command: [process.execPath, join(import.meta.dirname, "stand-in.mjs")],
      pollMilliseconds: 500,
      ...changes,
    };
  };

  const run = async (
    sweep: DrivenSweep,
    watch: Partial<Pick<SlurmSweep, "onProgress" | "say">> = {},
  ): Promise<{ lines: string[]; last: SlurmProgress | undefined }> => {
    const lines: string[] = [];
    let last: SlurmProgress | undefined;
    await runOnSlurm({
      ...sweep,
      say: (line) => {
        lines.push(line);
        watch.say?.(line);
      },
      onProgress: (progress) => {
        last = progress;
        watch.onProgress?.(progress);
      },
    });
    return { lines, last };
  };

  /** The same in a process of its own. */
  const drive = (sweep: DrivenSweep, env: NodeJS.ProcessEnv = process.env): ChildProcess => {
    const file = join(import.meta.dirname, "drive.ts");
    const args = ["--import", "tsx", file, JSON.stringify(sweep)];
    return spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
  };

  const firstLine = async (child: ChildProcess): Promise<string> => {
    const [line] = await once(createInterface(child.stdout as NodeJS.ReadableStream), "line");
    return String(line);
  };

  const submitted = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith("submitted"));
  const done = (): number[] =>
    readdirSync(join(folder, "trials"))
      .map((name) => Number.parseInt(name, 10))
      .sort((one, other) => one - other);
  /** How often each trial has been begun. */
  const attempts = (): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const trial of readFileSync(join(folder, "attempts"), "utf8").trim().split("\n"))
      counts[trial] = (counts[trial] ?? 0) + 1;
    return counts;
  };
  const go = (): void => writeFileSync(join(folder, "go"), "");

  test("every trial is made once, several to a task", async () => {
    const { lines, last } = await run(planned(11, {}, { maxTasks: 4, concurrency: 2 }));
    expect(done()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(new Set(Object.values(attempts()))).toEqual(new Set([1]));
    expect(lines).toEqual([expect.stringMatching(/^submitted job \d+: 11 trials in 4 tasks$/)]);
    expect(last).toMatchObject({ done: 11, total: 11 });
  });

  test("a sweep without missing trials submits nothing", async () => {
    const sweep = planned(2);
    for (const trial of sweep.trials) writeFileSync(join(folder, "trials", `${trial}.json`), "{}");
    expect((await run(sweep)).lines).toEqual([]);
  });

  test("of a running array so many tasks run as may, and the others say why they wait", async () => {
    const sweep = planned(3, { 1: ["wait"], 2: ["wait"], 3: ["wait"] }, { concurrency: 1 });
    const seen: SlurmProgress[] = [];
    const onProgress = (progress: SlurmProgress): void => {
      seen.push(progress);
      if (progress.reasons.length > 0) go();
    };
    await run(sweep, { onProgress });
    expect(seen.every(({ running }) => running <= 1)).toBe(true);
    expect(seen).toContainEqual(
      expect.objectContaining({ state: "running", pending: 2, reasons: ["JobArrayTaskLimit"] }),
    );
  });

  test("what has failed twice succeeds in the next array, which has nothing else", async () => {
    const { lines } = await run(planned(4, { 2: ["fail", "fail"] }, { maxTasks: 2 }));
    expect(attempts()).toEqual({ 1: 1, 2: 3, 3: 1, 4: 1 });
    expect(submitted(lines)).toEqual([
      expect.stringContaining("4 trials in 2 tasks"),
      expect.stringContaining("1 trial in 1 task"),
    ]);
  });

  test("a process that is killed costs no other trial of its task, and no second array", async () => {
    const { lines } = await run(planned(4, { 2: ["crash"] }, { maxTasks: 1 }));
    expect(done()).toEqual([1, 2, 3, 4]);
    expect(attempts()).toEqual({ 1: 1, 2: 2, 3: 1, 4: 1 });
    expect(submitted(lines)).toHaveLength(1);
  });

  test("a task that is cancelled from outside is submitted again", async () => {
    const sweep = planned(2, { 1: ["wait"] });
    let cancelled = false;
    const onProgress = ({ done, jobId }: SlurmProgress): void => {
      if (cancelled || done < 1) return;
      cancelled = true;
      void node.ask("scancel", jobId);
    };
    const { lines } = await run(sweep, { onProgress });
    expect(attempts()).toEqual({ 1: 2, 2: 1 });
    expect(submitted(lines)).toHaveLength(2);
  });

  test("when the node fails, Slurm itself starts the task again", async () => {
    const sweep = planned(1, { 1: ["wait"] });
    let failed = false;
    const onProgress = async ({ state }: SlurmProgress): Promise<void> => {
      if (failed || state !== "running" || !existsSync(join(folder, "attempts"))) return;
      failed = true;
      await node.fail();
    };
    const { lines, last } = await run(sweep, { onProgress: (progress) => void onProgress(progress) });
    expect(attempts()).toEqual({ 1: 2 });
    expect(submitted(lines)).toHaveLength(1);
    const log = readFileSync(join(folder, "slurm", `${last?.jobId}_0.log`), "utf8");
    expect(log.match(/^== trials 1 on /gm), log).toHaveLength(2);
  });

  test("a controller that is restarted is asked again", async () => {
    const sweep = planned(1, { 1: ["wait"] });
    let stopping: Promise<void> | undefined;
    const onProgress = ({ state }: SlurmProgress): void => {
      if (state === "running") stopping ??= node.stopController();
    };
    const say = (line: string): void => {
      if (!line.includes("asking again")) return;
      void stopping?.then(() => {
        node.startController();
        go();
      });
      stopping = Promise.resolve();
    };
    const { lines } = await run(sweep, { onProgress, say });
    expect(lines).toContainEqual(expect.stringMatching(/^squeue: .*contact.*; asking again$/));
    expect(submitted(lines)).toHaveLength(1);
    expect(attempts()).toEqual({ 1: 1 });
  });

  test("after the submitting process was killed, the next one waits for the array that is there", async () => {
    const sweep = planned(3, { 1: ["wait"], 2: ["wait"] });
    const first = drive(sweep);
    const jobId = /^submitted job (\d+)/.exec(await firstLine(first))?.[1];
    first.kill("SIGKILL");
    await once(first, "exit");
    const say = (): void => go();
    expect((await run(sweep, { say })).lines).toEqual([
      `waiting for job ${jobId}, which an earlier command has submitted`,
    ]);
    expect(attempts()).toEqual({ 1: 1, 2: 1, 3: 1 });
  });

  test("an array is found again by its name when its number was never written down", async () => {
    const sweep = planned(1, { 1: ["wait"] });
    const first = drive(sweep);
    await firstLine(first);
    first.kill("SIGKILL");
    await once(first, "exit");
    const file = join(folder, "slurm", "job.json");
    const job = JSON.parse(readFileSync(file, "utf8")) as { jobId: string };
    writeFileSync(file, JSON.stringify({ ...job, jobId: null }));
    const { lines } = await run(sweep, { say: () => go() });
    expect(lines).toEqual([`waiting for job ${job.jobId}, which an earlier command has submitted`]);
  });

  test("a trial that always fails ends the sweep with the end of its log, after all others are done", async () => {
    const failure = await run(planned(3, { 2: always("fail") }, { maxTasks: 1 })).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "Failure", code: "trial/failed" });
    expect((failure as Error).message).toMatch(
      /^1 trial failed in every attempt; trial 2 says in .*_0\.log:\n[\s\S]*trial 2 has no luck$/,
    );
    expect(done()).toEqual([1, 3]);
  });

  test("what sbatch refuses is said in its words", async () => {
    const sweep = planned(1, {}, { sbatchArguments: ["--partition=nowhere"] });
    await expect(run(sweep)).rejects.toMatchObject({
      code: "config/invalid",
      message: expect.stringMatching(/^sbatch refused an array of 1 tasks[\s\S]*invalid partition/),
    });
    expect(done()).toEqual([]);
  });

  test("a cluster that does not answer is no mistake of the user", async () => {
    await node.stopController();
    await expect(run(planned(1))).rejects.toMatchObject({ code: "peer/unreachable" });
    node.startController();
  });

  test("without Slurm's commands it says what to do", async () => {
    const line = await firstLine(drive(planned(1), { ...process.env, PATH: folder }));
    expect(line).toMatch(
      /^config\/invalid: expected Slurm's sbatch on the PATH, found none; start the sweep on a node/,
    );
  });
});
