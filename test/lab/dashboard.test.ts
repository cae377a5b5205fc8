import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath } from "./debian-packages.ts";
import { completeRun, offload, RehearsalProcess } from "./rehearsal-process.ts";

describe.skipIf(chromiumPath === undefined)("the dashboard in a real Chromium", () => {
  let rehearsal: RehearsalProcess;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];
  const requested = new Set<string>();

  beforeAll(async () => {
    rehearsal = new RehearsalProcess(["--serve"], { settings: { time_slot_count: 12 } });
    await rehearsal.line(/trial 1 of 2/);
    browser = await chromium.launch({
      executablePath: chromiumPath as string,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    page.on("request", (request) => requested.add(new URL(request.url()).host));
    await page.goto(rehearsal.lab().dashboardUrl);
  });
  afterAll(async () => {
    await browser?.close();
    await rehearsal?.remove();
  });

  const textOf = (id: string): Promise<string> => page.getByTestId(id).first().innerText();

  test("shows the running trial, its policy and that the hardware is emulated", async () => {
    await expect.poll(() => textOf("run-state")).toMatch(/running/i);
    expect(await textOf("policy")).toMatch(/greedy|fair/i);
    expect(await textOf("hardware")).toMatch(/emulated/i);
    expect(await textOf("clock-speed")).toMatch(/1\.5/);
  });

  test("shows every community and device, with outcomes that grow", async () => {
    for (const name of ["R1", "R2", "R3"]) expect(await page.getByTestId(`community-${name}`).count(), name).toBe(1);
    for (let i = 1; i <= 3; i += 1) {
      for (let j = 1; j <= 3; j += 1) expect(await page.getByTestId(`device-ed-${i}-${j}`).count()).toBe(1);
    }
    const generated = async (): Promise<number> => {
      const texts = await page.getByTestId("outcomes").allInnerTexts();
      return (
        texts
          .join(" ")
          .match(/\d+/g)
          ?.map(Number)
          .reduce((a, b) => a + b, 0) ?? 0
      );
    };
    await expect.poll(generated, { timeout: 10_000 }).toBeGreaterThan(3);
    expect(await page.locator("canvas").count()).toBeGreaterThanOrEqual(2);
  });

  test("fills the comparison and ends as complete", async () => {
    const [manifest, home] = ["experiment.yaml", "home"].map((name) => join(rehearsal.folder, name)) as [
      string,
      string,
    ];
    let isFirst = true;
    // The lab's own run is the first; one that a busy machine spoils is run again on the same lab.
    await completeRun(async () => {
      if (!isFirst) return (await offload("run", manifest, "--home", home)).stderr;
      isFirst = false;
      return rehearsal.line(/^run \S+ is (complete|invalid)/);
    });
    await expect.poll(() => textOf("run-state"), { timeout: 10_000 }).toMatch(/complete/i);
    const table = await textOf("results-table");
    expect(table).toMatch(/fair/i);
    expect(table).toMatch(/greedy/i);
  }, 300_000);

  test("shows one task's life across its device, its server and the C-BS", async () => {
    await page.getByTestId("trace-task").fill("ed-1-1-0");
    await page.getByTestId("trace-task").press("Enter");
    await expect.poll(() => textOf("trace")).toMatch(/ed-1-1\s+generated/);
    const text = await textOf("trace");
    expect(text).toMatch(/mec-1\s+decided: (local|edge|wait)/);
    expect(text).toMatch(/cbs\s+began the trial/);
    expect(text).toMatch(/ed-1-1\s+(completed-local|completed-edge|late|drained|expired)/);
    await page.getByTestId("trace-task").fill("ed-1-1-9999");
    await page.getByTestId("trace-task").press("Enter");
    await expect.poll(() => textOf("trace")).toMatch(/has journalled no ed-1-1-9999/);
  });

  test("asks no other host and reports no error", () => {
    expect([...requested]).toEqual([new URL(rehearsal.lab().dashboardUrl).host]);
    expect(problems).toEqual([]);
  });
});
