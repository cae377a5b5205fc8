import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { offload } from "../lab/rehearsal-process.ts";

const folder = mkdtempSync(join(tmpdir(), "reproduce-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("reproduce prints the paper's numbers beside, and its figures; Local does not depend on B in any digit", async () => {
  const out = join(folder, "heuristics");
  const { code, stdout, stderr } = await offload(
    ...["reproduce", "table3", "--policies", "local,edge,greedy", "--repetitions", "4", "--epochs", "25"],
    ...["--format", "json", "--out", out, "--sweeps", join(folder, "heuristics-sweeps")],
  );
  expect(code, stderr).toBe(0);
  const { rows } = JSON.parse(stdout).data as {
    rows: { policy: string; bandwidth_hertz: number; deviationFromFit: { within: boolean } }[];
  };
  expect(rows.map(({ policy, bandwidth_hertz: bandwidth }) => `${policy} ${bandwidth / 1e6}`)).toEqual(
    [5, 15, 25].flatMap((bandwidth) => ["local", "edge", "greedy"].map((policy) => `${policy} ${bandwidth}`)),
  );
  for (const row of rows) expect(row, JSON.stringify(row)).toMatchObject({ deviationFromFit: { within: true } });
  const local = rows.filter(({ policy }) => policy === "local");
  const numbersOf = (row: object) => {
    const { successRatio, energyJoules, waitingSeconds, rewardPerTask, rewardPerEpoch } = row as Record<
      string,
      unknown
    >;
    return { successRatio, energyJoules, waitingSeconds, rewardPerTask, rewardPerEpoch };
  };
  expect(new Set(local.map((row) => JSON.stringify(numbersOf(row)))).size).toBe(1);
  expect(readdirSync(join(out, "table3")).sort()).toEqual([
    "figure.pdf",
    "figure.png",
    "figure.svg",
    "made.json",
    "orderings.csv",
    "report.txt",
    "table.csv",
    "table.tex",
    "table.txt",
  ]);
});

const tiny = [
  ...["--quick", "--epochs", "1", "--format", "json"],
  ...["--set", "communities.each.device_count=3", "--set", "time_slot_count=3"],
];
const made = (out: string, name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(out, name, "made.json"), "utf8"));

test("reproduce trains a method once for all experiments that need it, and repeats nothing", async () => {
  const out = join(folder, "out");
  const sweeps = join(folder, "sweeps");
  const places = ["--out", out, "--sweeps", sweeps, "--policies", "greedy,td3"];
  const table = await offload("reproduce", "table3", ...tiny, ...places);
  expect(table.code, table.stderr).toBe(0);
  const { data } = JSON.parse(table.stdout);
  expect(data.rows.map((row: { policy: string }) => row.policy)).toEqual(Array(3).fill(["greedy", "td3"]).flat());
  expect(data.orderings.map((ordering: { verdict: string }) => ordering.verdict)).toEqual(
    Array(9).fill("cannot be told"),
  );
  const trainings = readdirSync(join(sweeps, "trainings"));
  expect(trainings).toHaveLength(3);
  const times = (): number[] => trainings.map((name) => statSync(join(sweeps, "trainings", name)).mtimeMs);
  const before = times();

  // Its only point is Table III's second one.
  const figure = await offload("reproduce", "fig6", ...tiny, ...places);
  expect(figure.code, figure.stderr).toBe(0);
  expect(readdirSync(join(sweeps, "trainings"))).toEqual(trainings);
  const numbers = (text: string) =>
    JSON.parse(text)
      .data.rows.filter((row: { policy: string }) => row.policy === "td3")
      .map((row: { successRatio: unknown; energyJoules: unknown }) => [row.successRatio, row.energyJoules]);
  expect(numbers(table.stdout)[1]).toEqual(numbers(figure.stdout)[0]);
  expect(readdirSync(join(out, "fig6"))).toEqual(
    expect.arrayContaining(["curves.csv", "curves.pdf", "curves.png", "curves.svg"]),
  );

  const took = () => made(out, "table3")["took"] as Record<string, number>;
  const first = took();
  expect(first).toMatchObject({ trials: 6 });
  expect(first["processes"]).toBeGreaterThanOrEqual(1);
  expect(first["processorSeconds"]).toBeGreaterThan(0);
  expect(first["wallSeconds"]).toBeGreaterThan(0);

  const again = await offload("reproduce", "table3", ...tiny, ...places);
  expect(JSON.parse(again.stdout).data.made).toBe(0);
  expect(took()).toEqual(first);
  expect(times()).toEqual(before);

  // Trials that are gone are made again with the trainings that are there.
  rmSync(join(data.folder, "trials"), { recursive: true });
  const table3 = readFileSync(join(out, "table3/table.csv"), "utf8");
  const resumed = await offload("reproduce", "table3", ...tiny, ...places);
  expect(JSON.parse(resumed.stdout).data.made).toBe(6);
  expect(times()).toEqual(before);
  expect(took()).not.toEqual(first);
  expect(took()).toMatchObject({ trials: 6 });
  expect(readFileSync(join(out, "table3/table.csv"), "utf8")).toBe(table3);

  expect(made(out, "table3")).toMatchObject({
    command: `npx offload reproduce table3 --quick --policies greedy,td3 --epochs 1 --set communities.each.device_count=3 --set time_slot_count=3`,
    trials: 6,
    trainings: 3,
  });
  const readme = readFileSync(join(out, "README.md"), "utf8");
  for (const name of ["table3", "fig6"]) expect(readme).toContain(`| [${name}](${name}/report.txt) | `);
  expect(readme).toMatch(/6 trials in \d+\.\d min, \d+ at once, each \d+ % of a processor \|/);
});

test("reproduce federation: a community that joins begins later, and every measure is compared", async () => {
  const out = join(folder, "federation");
  const { code, stdout, stderr } = await offload(
    ...["reproduce", "federation", ...tiny, "--policies", "td3,mcf-td3"],
    ...["--out", out, "--sweeps", join(folder, "federation-sweeps")],
  );
  expect(code, stderr).toBe(0);
  const experiments = JSON.parse(stdout).data as {
    experiment: string;
    federation: { learned: unknown[]; better: { measure: string }[] };
  }[];
  expect(experiments.map(({ experiment }) => experiment)).toEqual([
    "federation",
    "federation-few-samples",
    "federation-joining",
    "federation-one-poor",
  ]);
  for (const { federation } of experiments) {
    expect(federation.learned).toHaveLength(8);
    expect(federation.better.map(({ measure }) => measure)).toEqual(
      Array(4).fill(["epochs to 0.95", "success rate", "reward per epoch"]).flat(),
    );
  }
  const joining = experiments.find(({ experiment }) => experiment === "federation-joining");
  const epochs = readFileSync(join(out, joining?.experiment ?? "", "curves.csv"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("td3,R3,"))
    .map((line) => Number(line.split(",")[2]));
  expect([epochs[0], epochs.at(-1)]).toEqual([12, 24]);
});
