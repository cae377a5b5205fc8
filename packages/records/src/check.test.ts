import { appendFile, mkdir, mkdtemp, readFile, rm, stat, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { randomStream, settingsToFile } from "@offloadlab/model";
import { count } from "@offloadlab/units";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { archiveFiles, contentFiles, type RunState, sealArchive } from "./archive.ts";
import { checkArchive, readRun, readStatus } from "./check.ts";
import type { JournalRecord, NewRecord } from "./journal-records.ts";
import { action, generated, outcome, service, smallSettings, stamped, subSlot } from "./journals.test-helper.ts";
import { taskFates } from "./reconcile.ts";
import { type ResultRow, resultRows, trialSums } from "./results.ts";
import type { Trial } from "./schedule.ts";
import { resultTable } from "./table.ts";

const trials: readonly Trial[] = [{ number: 1, policy: "edge", repetition: 1, seed: 5 }];
const end: NewRecord = { kind: "trial-end", trial: 1 };
const settings = { ...smallSettings, timeSlotCount: count(1) };
/** All devices in time, in all sub-slots of the trial. */
const inTime = (devices: number): NewRecord[] =>
  Array.from({ length: settings.subSlotsPerTimeSlot }, (_, index) =>
    subSlot({ subSlot: index, devices, reported: devices }),
  );
const edge = (task: string, bandwidthShare: number, computeShare: number) =>
  ({ task, placement: "edge", bandwidthShare, computeShare, lease: `lease-${task}` }) as const;

/** A run of one trial in which all is well. */
const goodJournals = (): Record<string, JournalRecord[]> => ({
  cbs: stamped([{ kind: "run", state: "running" }, end, { kind: "run", state: "complete" }]),
  "mec-1": stamped([
    { kind: "boot", node: "mec-1", boot: "a" },
    action([edge("ed-1-1-0", 0.5, 0.25), { task: "ed-1-2-0", placement: "local", bandwidthShare: 0, computeShare: 0 }]),
    service("ed-1-1-0", { computeShare: 0.25, achievedComputeShare: 0.25 }),
    ...inTime(2),
    end,
  ]),
  "mec-2": stamped([{ kind: "boot", node: "mec-2", boot: "b" }, ...inTime(1), end]),
  "ed-1-1": stamped([
    { kind: "boot", node: "ed-1-1", boot: "c" },
    generated("ed-1-1-0"),
    outcome("ed-1-1-0", { outcome: "completed-edge", energyJoules: 2, reward: -0.5 - 2 / 120 }),
    {
      kind: "battery",
      trial: 1,
      subSlot: 0,
      chargeJoules: 118,
      drainedJoules: 2,
      harvestedJoules: 0,
      method: "emulated",
    },
    end,
  ]),
  "ed-1-2": stamped([
    { kind: "boot", node: "ed-1-2", boot: "d" },
    generated("ed-1-2-0"),
    outcome("ed-1-2-0", { outcome: "late", delaySeconds: 1.75, reward: -10 }),
    end,
  ]),
  "ed-2-1": stamped([{ kind: "boot", node: "ed-2-1", boot: "e" }, end]),
});

const manifest = `name: small
preset: testbed
policies: [edge]
repetitions: 1
seed: 1
clock_speed_ratio: 1.5
`;

interface Build {
  readonly journals?: Record<string, readonly JournalRecord[]>;
  readonly rows?: unknown;
  readonly scheduled?: readonly Trial[];
  readonly state?: RunState;
  /** Files to write besides, or instead. */
  readonly files?: Record<string, string>;
}

/** Writes and seals an archive as the C-BS does. */
const build = async (
  folder: string,
  { journals = goodJournals(), rows, scheduled = trials, state = "complete", files = {} }: Build,
): Promise<void> => {
  const results = rows ?? resultRows(trialSums(settings, trials, taskFates(new Map(Object.entries(journals)))));
  const contents: Record<string, string> = {
    [archiveFiles.manifest]: manifest,
    [archiveFiles.settings]: JSON.stringify(settingsToFile(settings)),
    [archiveFiles.trials]: JSON.stringify(scheduled),
    [archiveFiles.results]: JSON.stringify({ rows: results }),
    [archiveFiles.table]: rows === undefined ? `${resultTable(results as readonly ResultRow[])}\n` : "",
    [archiveFiles.environment("ed-1-1")]: '{"hardware":"emulated"}\n',
    ...Object.fromEntries(
      Object.entries(journals).map(([node, records]) => [
        archiveFiles.journal(node),
        records.map((record) => `${JSON.stringify(record)}\n`).join(""),
      ]),
    ),
    [archiveFiles.log("cbs")]: '{"level":30,"msg":"run"}\n',
    ...files,
  };
  for (const [file, text] of Object.entries(contents)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  await sealArchive(folder, state, state === "complete" ? [] : ["a reason"]);
};

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "archive-"));
});
afterEach(() => rm(folder, { recursive: true }));

const problemsOf = async (options: Build): Promise<readonly string[]> => {
  await build(folder, options);
  return (await checkArchive(folder)).problems;
};

/** The good journals with one node's records changed. */
const changed = (node: string, change: (records: JournalRecord[]) => JournalRecord[]): Build => {
  const journals = goodJournals();
  journals[node] = change(journals[node] ?? []);
  return { journals };
};

const replaced = <K extends JournalRecord["kind"]>(
  records: JournalRecord[],
  kind: K,
  change: Partial<JournalRecord & { kind: K }>,
): JournalRecord[] =>
  records.map((record) => (record.kind === kind ? ({ ...record, ...change } as JournalRecord) : record));

describe("a sealed archive", () => {
  it("is accepted, and says what it holds", async () => {
    await build(folder, {});
    const report = await checkArchive(folder);
    expect(report.problems).toEqual([]);
    expect(report).toMatchObject({ status: { state: "complete", reasons: [] }, tasks: 2, trials: 1 });
  });

  it("is accepted under any name of its folder", async () => {
    await build(folder, {});
    for (const name of [
      `${folder}/`,
      `${folder}/.`,
      relative(process.cwd(), folder),
      `./${relative(process.cwd(), folder)}`,
    ]) {
      expect((await checkArchive(name)).problems).toEqual([]);
    }
  });

  it("is accepted whatever the order of its rows and of their fields", async () => {
    const rows = resultRows(trialSums(settings, trials, taskFates(new Map(Object.entries(goodJournals())))));
    const turned = rows.map((row) => Object.fromEntries(Object.entries(row).reverse())).reverse();
    expect(await problemsOf({ rows: turned })).toEqual([]);
  });

  it("is accepted without the last lines of a server that was killed, when it is not complete", async () => {
    const killed = changed("mec-1", (records) => records.slice(0, 2));
    expect(await problemsOf({ ...killed, state: "interrupted" })).toEqual([]);
    const without = goodJournals();
    delete without["mec-1"];
    expect(await problemsOf({ journals: without, state: "interrupted" })).toEqual([]);
  });

  it("is accepted with a task that was granted the edge in vain and run late on the device", async () => {
    const local = { task: "ed-1-2-0", placement: "local", bandwidthShare: 0, computeShare: 0 } as const;
    const vain = changed("mec-1", (records) => [
      ...records,
      { time: 2000, ...action([edge("ed-1-2-0", 0.5, 0.5)], { subSlot: 1 }) },
      { time: 2001, ...action([local], { subSlot: 2 }) },
    ]);
    expect(await problemsOf(vain)).toEqual([]);
  });

  it("knows the speed of its clock and its hardware, which is emulated as soon as one node is", async () => {
    await build(folder, {});
    expect(await readRun(folder)).toMatchObject({ clockSpeed: 1.5, hardware: "emulated" });
    const linux = { [archiveFiles.environment("ed-1-1")]: '{"hardware":"linux"}' };
    await build(folder, { files: linux });
    expect((await readRun(folder)).hardware).toBe("linux");
    await build(folder, { files: { ...linux, [archiveFiles.environment("mec-1")]: '{"hardware":"emulated"}' } });
    expect((await readRun(folder)).hardware).toBe("emulated");
  });

  it("is refused when any byte of any file has changed, and the file is named", async () => {
    await build(folder, {});
    const random = randomStream(3, "bytes");
    const files = [...(await contentFiles(folder)), archiveFiles.checksums, archiveFiles.status];
    expect(files).toHaveLength(15);
    for (const file of files) {
      const path = join(folder, file);
      const content = await readFile(path);
      const places =
        content.length <= 200
          ? Array.from(content, (_, place) => place)
          : [0, content.length - 1, ...Array.from({ length: 200 }, () => random.integer(content.length))];
      for (const place of places) {
        const bytes = Buffer.from(content);
        bytes[place] = (bytes[place] as number) ^ (1 + random.integer(255));
        await writeFile(path, bytes);
        const { problems } = await checkArchive(folder);
        if (!problems.some((problem) => problem.startsWith(`${file}: `)))
          expect.fail(`byte ${place} of ${file}: ${problems.join("; ")}`);
      }
      await writeFile(path, content);
    }
    expect((await checkArchive(folder)).problems).toEqual([]);
  }, 60_000);

  it("is refused when a file was cut, lengthened, removed or added", async () => {
    await build(folder, {});
    const files = [...(await contentFiles(folder)), archiveFiles.checksums, archiveFiles.status];
    for (const file of files) {
      const path = join(folder, file);
      const content = await readFile(path);
      for (const damage of [
        () => writeFile(path, content.subarray(0, -1)),
        () => appendFile(path, "\n"),
        () => unlink(path),
      ]) {
        await damage();
        expect((await checkArchive(folder)).problems.join("\n")).toContain(`${file}: `);
        await writeFile(path, content);
      }
    }
    for (const file of ["note.txt", "journals/ed-9-9.ndjson"]) {
      await writeFile(join(folder, file), "");
      expect((await checkArchive(folder)).problems).toEqual([`${file}: was not there when the run was sealed`]);
      await unlink(join(folder, file));
    }
    expect((await checkArchive(folder)).problems).toEqual([]);
  });

  it("is refused before it is sealed", async () => {
    await build(folder, {});
    await unlink(join(folder, archiveFiles.status));
    const report = await checkArchive(folder);
    expect(report.status).toBeNull();
    expect(report.problems).toEqual(["status: missing; the run was not sealed"]);
  });

  it("keeps its state and its reasons, and says of itself when it is invalid", async () => {
    await build(folder, { state: "invalid" });
    const report = await checkArchive(folder);
    expect(report).toMatchObject({ problems: [], status: { state: "invalid", reasons: ["a reason"] } });
    const text = await readFile(join(folder, archiveFiles.status), "utf8");
    expect(readStatus(text)).toEqual(report.status);
    for (const other of ["", "{", text.slice(0, -1), `${text}\n`, text.replace("invalid", "perfect")])
      expect(readStatus(other)).toBeNull();
    await expect(stat(join(folder, `${archiveFiles.status}.part`))).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("an archive whose bytes are intact is refused", () => {
  it("when a task has two outcomes", async () => {
    const twice = changed("ed-1-1", (records) => [
      ...records,
      { time: 2000, ...outcome("ed-1-1-0", { outcome: "completed-edge", reward: -0.5 - 10 / 120 }) },
    ]);
    expect(await problemsOf(twice)).toEqual([
      "journals/ed-1-1.ndjson: trial 1: ed-1-1-0 has 2 outcomes instead of one",
    ]);
  });

  it("when a task has an outcome and was declared lost", async () => {
    const lost = changed("cbs", (records) => [...records, { time: 2000, kind: "lost", trial: 1, task: "ed-1-2-0" }]);
    expect((await problemsOf({ ...lost, state: "invalid" })).join()).toContain("ed-1-2-0 has 2 outcomes");
  });

  it("when a task has no outcome, whoever saw the task", async () => {
    const ed = changed("ed-1-2", (records) => records.filter(({ kind }) => kind !== "outcome"));
    expect(await problemsOf(ed)).toEqual(["journals/ed-1-2.ndjson: trial 1: ed-1-2-0 has 0 outcomes instead of one"]);
    const mec = changed("mec-2", (records) => [...records, { time: 2000, ...service("ed-2-1-7") }]);
    expect((await problemsOf(mec)).join()).toContain("ed-2-1-7 has 0 outcomes");
  });

  it("when a task is lost and the run calls itself complete", async () => {
    const journals = goodJournals();
    journals["ed-1-2"] = (journals["ed-1-2"] ?? []).filter(({ kind }) => kind !== "outcome");
    journals["cbs"]?.push({ time: 2000, kind: "lost", trial: 1, task: "ed-1-2-0" });
    expect((await problemsOf({ journals })).join()).toContain("ed-1-2-0 is lost");
    expect(await problemsOf({ journals, state: "invalid" })).toEqual([]);
  });

  it.each([
    ["C4", { decisions: [edge("ed-1-1-0", 0.7, 0.1), edge("ed-1-2-0", 0.4, 0.1)] }],
    ["C4", { bandwidthInUseRatio: 0.6, decisions: [edge("ed-1-1-0", 0.5, 0.1)] }],
    ["C4", { bandwidthInUseRatio: -0.1 }],
    ["C5", { decisions: [edge("ed-1-1-0", 0.1, 0.7), edge("ed-1-2-0", 0.1, 0.4)] }],
    ["C5", { computeInUseRatio: 0.80001, decisions: [edge("ed-1-1-0", 0.5, 0.2)] }],
    ["C1", { decisions: [edge("ed-1-1-0", 0.5, 0)] }],
    ["C1", { decisions: [{ ...edge("ed-1-1-0", 0, 0.5), placement: "local" as const }] }],
  ])("when an action breaks %s: %j", async (rule, change) => {
    const all = await problemsOf(changed("mec-1", (records) => replaced(records, "action", change)));
    // The decisions do not fit the service any more either.
    const problems = all.filter((problem) => problem.includes("is broken"));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^journals/mec-1\\.ndjson: trial 1, sub-slot 0: ${rule} is broken`));
  });

  it.each([
    ["completed after the deadline", { delaySeconds: 1.500001 }, "C2 is broken"],
    ["completed with more energy than there was", { energyJoules: 120.1 }, "C3 is broken"],
    ["late within the deadline", { outcome: "late" as const, delaySeconds: 1.5 }, "within the deadline"],
    ["expired before the deadline", { outcome: "expired" as const, delaySeconds: 1.4999 }, "within the deadline"],
    ["paid a reward that Eq. (19) does not give", { reward: -0.5 }, "Eq. (19) gives -0.51666"],
  ])("when a task is %s", async (_, change, problem) => {
    const problems = await problemsOf(changed("ed-1-1", (records) => replaced(records, "outcome", change)));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^journals\/ed-1-1\.ndjson: trial 1: ed-1-1-0 is /);
    expect(problems[0]).toContain(problem);
  });

  it("when energy comes from nowhere, or a sub-slot is missing in the ledger", async () => {
    const free = changed("ed-1-1", (records) => replaced(records, "battery", { drainedJoules: 3 }));
    expect(await problemsOf(free)).toEqual(["journals/ed-1-1.ndjson: trial 1, sub-slot 0: 1 J came from nowhere"]);
    const gap = changed("ed-1-1", (records) => replaced(records, "battery", { subSlot: 1 }));
    expect((await problemsOf(gap)).join()).toContain("sub-slot 1: the ledger misses the sub-slot before");
  });

  it.each([-0.001, 120.001])("when a battery holds %f J of 120 J", async (chargeJoules) => {
    const problems = await problemsOf(changed("ed-1-1", (records) => replaced(records, "battery", { chargeJoules })));
    expect(problems).toEqual([
      `journals/ed-1-1.ndjson: trial 1, sub-slot 0: a charge of ${chargeJoules} J is outside [0, 120]`,
    ]);
  });

  it("when a clock goes back, but not when a process began again", async () => {
    const back = changed("ed-2-1", (records) => [
      ...records,
      { ...(records[0] as JournalRecord), kind: "run", state: "x", time: 999.5 },
    ]);
    expect(await problemsOf(back)).toEqual(["journals/ed-2-1.ndjson: line 3: the clock goes back by 0.501000 s"]);
    const again = changed("ed-2-1", (records) => [
      ...records,
      { kind: "boot", node: "ed-2-1", boot: "f", time: 999.5 },
    ]);
    expect(await problemsOf(again)).toEqual([]);
  });

  it("when a line has no time", async () => {
    const timeless = changed("ed-2-1", (records) => [...records, { kind: "run", state: "x" } as JournalRecord]);
    expect(await problemsOf(timeless)).toEqual(["journals/ed-2-1.ndjson: line 3 has no time"]);
  });

  it("when it calls itself complete and a trial did not come to its end", async () => {
    const open = changed("ed-2-1", (records) => records.filter(({ kind }) => kind !== "trial-end"));
    expect(await problemsOf(open)).toEqual(["journals/ed-2-1.ndjson: trial 1 has no end"]);
    const scheduled: Trial[] = [...trials, { number: 2, policy: "local", repetition: 1, seed: 5 }];
    expect((await problemsOf({ scheduled })).join()).toContain("1 of 2 trials");
    expect(await problemsOf({ scheduled, state: "interrupted" })).toEqual([]);
  });

  it("when the results do not follow from the journals", async () => {
    const rows = resultRows(trialSums(settings, trials, taskFates(new Map(Object.entries(goodJournals())))));
    const better = rows.map((row) => ({ ...row, reward: { ...row.reward, mean: (row.reward.mean ?? 0) + 0.001 } }));
    for (const wrong of [better, rows.slice(1), [...rows, ...rows.slice(0, 1)], [null], [], {}]) {
      expect(await problemsOf({ rows: wrong })).toEqual(["results.json: the rows do not follow from the journals"]);
    }
  });

  it.each([
    [
      "completed at the edge without a service",
      "mec-1",
      (records: JournalRecord[]) => records.filter(({ kind }) => kind !== "service"),
      "journals/ed-1-1.ndjson: trial 1: ed-1-1-0 is completed-edge, but mec-1 journalled no service",
    ],
    [
      "late at the edge without a service",
      "mec-1",
      (records: JournalRecord[]) => [...records, { time: 2000, ...action([edge("ed-1-2-0", 0.5, 0.5)]) }],
      "journals/ed-1-2.ndjson: trial 1: ed-1-2-0 is late, but mec-1 journalled no service",
    ],
    [
      "completed on the device and served",
      "ed-1-1",
      (records: JournalRecord[]) => replaced(records, "outcome", { outcome: "completed-local" }),
      "journals/ed-1-1.ndjson: trial 1: ed-1-1-0 is completed-local, but mec-1 served it",
    ],
    [
      "labelled otherwise than it was served",
      "ed-1-1",
      (records: JournalRecord[]) => replaced(records, "outcome", { label: "dog" }),
      "journals/ed-1-1.ndjson: trial 1: ed-1-1-0 is completed-edge with the label dog, mec-1 answered cat",
    ],
    [
      "served under a lease that nobody granted",
      "mec-1",
      (records: JournalRecord[]) => replaced(records, "service", { lease: "x" }),
      "journals/mec-1.ndjson: trial 1: ed-1-1-0 was served under lease x, which no action granted to it",
    ],
    [
      "served under a lease that another trial granted",
      "mec-1",
      (records: JournalRecord[]) => replaced(records, "action", { trial: 2 }),
      "journals/mec-1.ndjson: trial 1: ed-1-1-0 was served under lease lease-ed-1-1-0, which no action granted to it",
    ],
    [
      "served under another task's lease",
      "mec-1",
      (records: JournalRecord[]) =>
        replaced(records, "action", { decisions: [{ ...edge("ed-1-2-0", 0.5, 0.25), lease: "lease-ed-1-1-0" }] }),
      "journals/mec-1.ndjson: trial 1: ed-1-1-0 was served under lease lease-ed-1-1-0, which no action granted to it",
    ],
    [
      "served with another share than its lease's",
      "mec-1",
      (records: JournalRecord[]) => replaced(records, "service", { computeShare: 0.3 }),
      "journals/mec-1.ndjson: trial 1: ed-1-1-0 was served under lease lease-ed-1-1-0 with a compute share of 0.3 instead of 0.25",
    ],
  ])("when a task is %s", async (_, node, change, problem) => {
    expect(await problemsOf(changed(node, change))).toContain(problem);
  });

  it("when a task drained the battery at the edge without a service, but not when it was not begun", async () => {
    const drained = { outcome: "drained", energyJoules: 120, reward: -10, label: null } as const;
    const { journals = {} } = changed("mec-1", (records) => records.filter(({ kind }) => kind !== "service"));
    const good = goodJournals()["ed-1-1"] ?? [];
    const executed = { ...journals, "ed-1-1": replaced(good, "outcome", drained) };
    expect(await problemsOf({ journals: executed })).toEqual([
      "journals/ed-1-1.ndjson: trial 1: ed-1-1-0 is drained, but mec-1 journalled no service",
    ]);
    const refused = { ...journals, "ed-1-1": replaced(good, "outcome", { ...drained, delaySeconds: 0.25 }) };
    expect(await problemsOf({ journals: refused })).toEqual([]);
  });

  it("when the emulated uplink was far off in one upload of twenty", async () => {
    const slow = changed("mec-1", (records) => replaced(records, "service", { uploadSeconds: 0.209 }));
    expect(await problemsOf(slow)).toEqual([]);
    const journals = goodJournals();
    const tasks = Array.from({ length: 19 }, (_, index) => `ed-1-1-${index + 1}`);
    const edgeReward = { outcome: "completed-edge", energyJoules: 2, reward: -0.5 - 2 / 120 } as const;
    const served = (upload: number) => (task: string) => service(task, { uploadSeconds: upload });
    journals["mec-1"]?.push(
      ...stamped(
        [
          ...tasks.map((task, index) => action([edge(task, 0.5, 0.5)], { subSlot: index + 1 })),
          ...tasks.slice(0, 2).map(served(0.25)),
          ...tasks.slice(2).map(served(0.2)),
        ],
        2000,
      ),
    );
    journals["ed-1-1"]?.push(
      ...stamped(
        tasks.map((task) => outcome(task, edgeReward)),
        2000,
      ),
    );
    expect(await problemsOf({ journals })).toEqual([
      expect.stringMatching(
        /^status: complete, but the emulated uplink missed its rate by 25\.0 % in the 95th percentile/,
      ),
    ]);
    expect(await problemsOf({ journals, state: "invalid" })).toEqual([]);
  });

  it("when its content cannot be read, and says which", async () => {
    for (const [file, text] of [
      ["journals/ed-1-1.ndjson", '{"time":1,"kind":"boot"}\nnonsense\n{"time":2}\n'],
      [archiveFiles.settings, "{}"],
      [archiveFiles.trials, "["],
      [archiveFiles.results, "["],
      [archiveFiles.manifest, "name: small\n"],
      [archiveFiles.environment("ed-1-1"), "{"],
    ] as const) {
      await build(folder, { files: { [file]: text } });
      expect((await checkArchive(folder)).problems.length).toBeGreaterThan(0);
    }
  });

  const paid: NewRecord & { kind: "reward" } = {
    kind: "reward",
    trial: 1,
    task: "ed-1-1-0",
    subSlot: 0,
    outcome: "completed-edge",
    delaySeconds: 1,
    transmissionErrorSeconds: 0.03,
    energyJoules: 2,
    reward: -0.5 - 2 / 120,
  };
  /** A run whose server learned, from an upload that took 30 ms more than in theory. */
  const learned = (change: Partial<typeof paid> = {}): Build =>
    changed("mec-1", (records) => [
      ...replaced(records, "service", { uploadSeconds: 0.23 }),
      { time: 2000, ...paid, ...change },
    ]);

  it("unless a learner's rewards follow from what devices and server measured", async () => {
    const problems = await problemsOf(learned());
    // This one upload is 15 % late, which is the run's matter.
    expect(problems.filter((problem) => problem.includes("learner"))).toEqual([]);
  });

  it.each([
    ["another reward than Eq. (19)'s", { reward: -0.4 }, "Eq. (19) gives -0.51666"],
    ["another delay than its device's", { delaySeconds: 0.9, reward: -0.45 - 2 / 120 }, "its device says otherwise"],
    ["another outcome than its device's", { outcome: "late" as const, reward: -10 }, "its device says otherwise"],
    ["another transmission error", { transmissionErrorSeconds: 0 }, "a transmission error of 0 s instead of 0.03"],
    ["no transmission error", { transmissionErrorSeconds: null }, "a transmission error of null s instead of 0.03"],
  ])("when a learner was paid for %s", async (_, change, problem) => {
    const problems = (await problemsOf(learned(change))).filter((each) => each.includes("learner"));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });
});
