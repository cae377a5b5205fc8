import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath } from "./debian-packages.ts";
import { completeRun, offload, RehearsalProcess } from "./rehearsal-process.ts";

/** A policy that says at once what no one understands, but for its first answers: by those it is opened. */
const babbler = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    answered += 1;
    response.end(answered > 3 ? "what?" : JSON.stringify({ decisions: Array(3).fill({ placement: "wait" }) }));
  });
});
let answered = 0;

describe.skipIf(chromiumPath === undefined)("the dashboard in a real Chromium", () => {
  let rehearsal: RehearsalProcess;
  let browser: Browser;
  let page: Page;
  let url: string;
  const problems: string[] = [];
  const requested = new Set<string>();

  beforeAll(async () => {
    await once(babbler.listen(0, "127.0.0.1"), "listening");
    url = `http://127.0.0.1:${(babbler.address() as AddressInfo).port}/`;
    rehearsal = new RehearsalProcess(["--serve", "--policy", url], { settings: { time_slot_count: 12 } });
    await rehearsal.line(/trial 1 of 3/);
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
    babbler.close();
  });

  const textOf = (id: string): Promise<string> => page.getByTestId(id).first().innerText();

  test("shows the running trial, its policy and that the hardware is emulated", async () => {
    await expect.poll(() => textOf("run-state")).toMatch(/running/i);
    expect(await textOf("policy")).toMatch(/greedy|fair|http/i);
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
      if (!isFirst) {
        // Opened anew, the policy first says something that can be understood again.
        answered = 0;
        return (await offload("run", manifest, "--policy", url, "--home", home)).stderr;
      }
      isFirst = false;
      return rehearsal.line(/^run \S+ is (complete|invalid)/);
    });
    await expect.poll(() => textOf("run-state"), { timeout: 10_000 }).toMatch(/complete/i);
    const table = await textOf("results-table");
    expect(table).toMatch(/fair/i);
    expect(table).toMatch(/greedy/i);
  }, 300_000);

  test("shows how often Fair decided in the place of a policy from outside, by community", async () => {
    const rows = await textOf("fallbacks");
    expect(rows).toMatch(/Policy\s+R1\s+R2\s+R3/);
    expect(rows).toMatch(/http:\S+(\s+\d+ of \d+ (late \d+, )?malformed \d+){3}/);
  });

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
