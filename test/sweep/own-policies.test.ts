import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { readParquet } from "@offloadlab/records/parquet";
import { afterAll, beforeAll, expect, test } from "vitest";
import { offload } from "../lab/rehearsal-process.ts";

const folder = mkdtempSync(join(tmpdir(), "own-policies-"));
const examples = join(import.meta.dirname, "../../examples");
const server = spawn("python3", [join(examples, "http_policy.py"), "0"], { stdio: ["ignore", "pipe", "inherit"] });
let url = "";
afterAll(() => {
  server.kill();
  rmSync(folder, { recursive: true });
});

const manifest = join(folder, "own.yaml");
beforeAll(async () => {
  [url] = (await once(createInterface(server.stdout), "line")) as [string];
  execFileSync("python3", [join(examples, "greedy_onnx.py"), join(folder, "mine.onnx")]);
  writeFileSync(
    manifest,
    JSON.stringify({
      name: "own",
      preset: "testbed",
      policies: ["greedy", "fair", "./mine.onnx", url],
      repetitions: 2,
      epochs: 2,
      seed: 3,
    }),
  );
});

interface Answers {
  readonly rows: readonly { policy: string; community: string; successRatio: { mean: number; n: number } }[];
  readonly answers: readonly { policy: string; community: string; asked: number; fallbacks: object }[];
}
const dataOf = (stdout: string): Answers => (JSON.parse(stdout) as { data: Answers }).data;
const none = { late: 0, unreachable: 0, refused: 0, malformed: 0 };

test("a manifest names policies of one's own, beside it and by address, and simulate runs them", async () => {
  const { code, stdout, stderr } = await offload("simulate", manifest, "--format", "json");
  expect(code, stderr).toBe(0);
  const { rows, answers } = dataOf(stdout);
  expect([...new Set(rows.map(({ policy }) => policy))]).toEqual(["greedy", "fair", "./mine.onnx", url]);
  const success = (policy: string): number =>
    rows.find((row) => row.policy === policy && row.community === "all")?.successRatio.mean as number;
  expect(success("./mine.onnx")).toBeGreaterThan(success("greedy") - 0.02);
  expect(success(url)).toBeGreaterThan(0.95);
  expect(answers.map(({ policy, community }) => [policy, community])).toEqual(
    ["./mine.onnx", url].flatMap((policy) => ["R1", "R2", "R3"].map((community) => [policy, community])),
  );
  for (const { asked, fallbacks } of answers) {
    expect(asked).toBeGreaterThanOrEqual(2 * 2 * 80);
    expect(fallbacks).toEqual(none);
  }
});

test("a sweep gives the numbers that simulate gives, keeps the counts, and notices another model", async () => {
  const out = join(folder, "sweep");
  const simulated = await offload("simulate", manifest, "--format", "json");
  const swept = await offload("sweep", manifest, "--out", out, "--format", "json");
  expect(swept.code, swept.stderr).toBe(0);
  expect(dataOf(swept.stdout).rows).toEqual(dataOf(simulated.stdout).rows);
  expect(dataOf(swept.stdout).answers).toEqual(dataOf(simulated.stdout).answers);
  const sums = await readParquet(join(out, "results.parquet"));
  expect(sums.filter(({ policy }) => policy === "greedy").every(({ answers }) => answers === undefined)).toBe(true);
  const asked = sums.filter(({ policy }) => policy === url).map(({ answers }) => answers?.asked ?? 0);
  expect(asked).toHaveLength(2 * 2 * 3);
  expect(Math.min(...asked)).toBeGreaterThanOrEqual(80);

  const card = join(folder, "mine.card.json");
  writeFileSync(card, readFileSync(card, "utf8").replace('"name": "mine"', '"name": "changed"'));
  const again = await offload("sweep", manifest, "--out", out);
  expect(again).toMatchObject({ code: 4, stderr: expect.stringContaining("holds another sweep") });
});

test("the command line adds policies, by paths from where it is called", async () => {
  const elsewhere = join(folder, "elsewhere");
  mkdirSync(elsewhere);
  for (const name of ["mine.onnx", "mine.card.json"]) copyFileSync(join(folder, name), join(elsewhere, name));
  const path = relative(process.cwd(), join(elsewhere, "mine.onnx"));
  const args = ["--preset", "testbed", "--policies", "fair", "--policy", path];
  const short = ["--repetitions", "2", "--epochs", "1", "--format", "json"];
  const { code, stdout, stderr } = await offload("simulate", ...args, ...short);
  expect(code, stderr).toBe(0);
  expect(dataOf(stdout).rows.map(({ policy }) => policy)).toContain(path);
});

test("an endpoint that stops answering is replaced by Fair, and the table says how often", async () => {
  const stops = spawn(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `import { createServer } from "node:http";
       let asked = 0;
       createServer(async (request, response) => {
         const { devices } = JSON.parse(Buffer.concat(await request.toArray()));
         if (++asked > 100) response.writeHead(503).end();
         else response.end(JSON.stringify({ decisions: devices.map(() => ({ placement: "local" })) }));
       }).listen(0, "127.0.0.1", function () { console.log("http://127.0.0.1:" + this.address().port + "/"); });`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [address] = (await once(createInterface(stops.stdout), "line")) as [string];
  const args = [
    "--preset",
    "testbed",
    "--policies",
    "local",
    "--policy",
    address,
    "--repetitions",
    "1",
    "--epochs",
    "1",
  ];
  const { code, stdout, stderr } = await offload("simulate", ...args);
  stops.kill();
  expect(code, stderr).toBe(0);
  // Three communities are asked once each before the first sub-slot.
  const line = stdout.split("\n").find((each) => each.startsWith(`${address}: Fair decided`));
  const [, byFair, asked] =
    /Fair decided (\d+) of (\d+) sub-slots \(refused \1; first: expected status 200, got 503\)/.exec(
      line ?? stdout,
    ) as RegExpExecArray;
  expect(Number(asked) - Number(byFair)).toBe(97);
});

test.each([
  ["./gone.onnx", "`policies.0` cannot be used:"],
  [
    "egde",
    '`policies.0` must be one of local, edge, greedy, fair, oracle, dqn, ddpg, td3, mcf-td3, pfr-oa, got "egde"',
  ],
])("a manifest with %s: exit 4 with its place", async (policy, message) => {
  const file = join(folder, "wrong.yaml");
  writeFileSync(file, `name: wrong\npreset: testbed\npolicies: [${policy}]\nrepetitions: 1\nseed: 1\n`);
  const { code, stderr } = await offload("simulate", file);
  expect(code, stderr).toBe(4);
  expect(stderr).toContain(`${file}:3:12: ${message}`);
});
