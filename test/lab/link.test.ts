import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type DeviceLink, deviceLinks, type ResultRow, readRun } from "@offloadlab/records";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath } from "./debian-packages.ts";
import { completeRun, offload, RehearsalProcess } from "./rehearsal-process.ts";

const experiments = join(import.meta.dirname, "../../experiments");
const slow = "ed-1-1";
const names = ["slow-link-healthy", "slow-link", "slow-link-corrected"] as const;
type Name = (typeof names)[number];

interface Finished {
  readonly archive: string;
  readonly rows: readonly ResultRow[];
}

let rehearsal: RehearsalProcess;
const finished = new Map<Name, Finished>();
/** What the dashboard has of the slow device's link at the end of each run. */
const shown = new Map<Name, string>();

/** The text and the look of a device's link on the dashboard. */
const linkOnDashboard = async (browser: Browser): Promise<string> => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(rehearsal.lab().dashboardUrl);
  const rate = page.getByTestId(`device-${slow}`).locator(".link-rate");
  const text = `${await rate.getAttribute("class")}: ${await rate.innerText()}`;
  await page.close();
  return text;
};

beforeAll(async () => {
  const browser =
    chromiumPath === undefined
      ? undefined
      : await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox", "--disable-gpu"] });
  rehearsal = new RehearsalProcess(["--serve"], { repetitions: 1, policies: ["fair"] });
  await rehearsal.line(/^run \S+ is (complete|invalid)/);
  for (const name of names) {
    await completeRun(async () => {
      const home = join(rehearsal.folder, "home");
      const file = join(experiments, `${name}.yaml`);
      const { stdout, stderr } = await offload("run", file, "--home", home, "--format", "json");
      if (stdout !== "") finished.set(name, (JSON.parse(stdout) as { data: Finished }).data);
      return stderr;
    });
    if (browser !== undefined) shown.set(name, await linkOnDashboard(browser));
  }
  await browser?.close();
}, 1_800_000);
afterAll(() => rehearsal.remove());

const archiveOf = (name: Name): string => finished.get(name)?.archive ?? expect.fail(`${name} did not end`);
/**
 * Mean reward per task of a policy in the community whose device is slow. PFR-OA has no test: it keeps that device's tasks at
 * home in this world, with or without the fault, so that there is no loss to get back.
 */
const rewardOf = (name: Name, policy: string): number =>
  finished.get(name)?.rows.find((row) => row.policy === policy && row.community === "R1")?.reward.mean ?? Number.NaN;

test("a link of half the rate shows in its device's errors, and in no other's", async () => {
  const rateOf = async (name: Name): Promise<Record<string, number>> =>
    Object.fromEntries(
      deviceLinks((await readRun(archiveOf(name))).journals).map((link) => [link.device, link.rateRatio]),
    );
  const rates = await rateOf("slow-link");
  expect(rates[slow]).toBeCloseTo(0.5, 1);
  for (const device of ["ed-1-2", "ed-2-1", "ed-3-3"]) expect(rates[device], device).toBeCloseTo(1, 1);
  expect((await rateOf("slow-link-healthy"))[slow]).toBeCloseTo(1, 1);
});

describe.skipIf(chromiumPath === undefined)("on the dashboard in a real Chromium", () => {
  test("a slow link is drawn as low with its rate, a healthy one is not", () => {
    expect(shown.get("slow-link")).toMatch(/low: (4[5-9]|5[0-5])( ± \d+)? %/);
    expect(shown.get("slow-link-healthy")).not.toMatch(/low/);
  });
});

test("Fair's reward falls for it; with corrected leases at least half of the loss comes back", () => {
  const [healthy, slowed, corrected] = names.map((name) => rewardOf(name, "fair")) as [number, number, number];
  const text = `healthy ${healthy}, slowed ${slowed}, corrected ${corrected}`;
  expect(healthy - slowed, text).toBeGreaterThan(0.3);
  expect(corrected - slowed, text).toBeGreaterThan((healthy - slowed) / 2);
});

test("`offload report` of the three draws their rewards beside each other, and names the slow link", async () => {
  const figures = join(rehearsal.folder, "figures");
  const { code, stdout, stderr } = await offload(
    ...["report", ...names.map(archiveOf), "--figures", figures, "--format", "json"],
  );
  expect(code, stderr).toBe(0);
  const { data } = JSON.parse(stdout) as { data: { runs: { links: DeviceLink[] }[]; figures: string[] } };
  const off = data.runs.map(({ links }) => links.filter(({ correctionRatio }) => correctionRatio !== 1));
  expect(off.map((links) => links.map(({ device }) => device))).toEqual([[], [slow], [slow]]);
  expect(data.figures).toEqual(["rewards.svg", "rewards.pdf", "rewards.png"]);
  for (const file of data.figures) expect(existsSync(join(figures, file)), file).toBe(true);
  const svg = readFileSync(join(figures, "rewards.svg"), "utf8");
  for (const name of names) expect(svg).toContain(name);
});
