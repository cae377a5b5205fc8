import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath } from "./debian-packages.ts";
import { completeRun, RehearsalProcess } from "./rehearsal-process.ts";

describe.skipIf(chromiumPath === undefined)("a federated rehearsal in a real Chromium", () => {
  let rehearsal: RehearsalProcess | undefined;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: chromiumPath as string,
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
    });
    page = await browser.newPage({ viewport: { width: 1280, height: 1700 } });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    await completeRun(async () => {
      await rehearsal?.remove();
      rehearsal = new RehearsalProcess(["--serve"], {
        ...{ policies: ["pfr-oa"], repetitions: 5, training: { epochs: 2 }, clock_speed_ratio: 1 },
        learning: { federate_every: 1 },
      });
      await rehearsal.line(/trial 1 of 5/);
      problems.length = 0;
      await page.goto(rehearsal.lab().dashboardUrl);
      return rehearsal.line(/^run \S+ is (complete|invalid|interrupted)/);
    });
  }, 600_000);
  afterAll(async () => {
    await browser?.close();
    await rehearsal?.remove();
  });

  const textOf = (id: string): Promise<string> => page.getByTestId(id).first().innerText();

  test("shows who took part, losses, λ and bytes of every round", async () => {
    await expect.poll(() => textOf("run-state"), { timeout: 60_000 }).toMatch(/complete/i);
    expect(await textOf("federation-state")).toMatch(/^4 rounds averaged/);
    const rows = await page.getByTestId("rounds-pfr-oa").locator("tbody tr").allInnerTexts();
    expect(rows).toHaveLength(4);
    for (const row of rows) {
      // Two of three communities are averaged in each round.
      expect(row.match(/●/g)).toHaveLength(2);
      expect(row).toMatch(/\d+ kB/);
      expect(row.match(/0\.\d{4}/g)?.length).toBeGreaterThanOrEqual(2);
    }
    expect(await page.getByTestId("refusals").count()).toBe(0);
  });

  test("draws learning curves, losses and λ, a line for each community", async () => {
    for (const chart of ["learning-pfr-oa", "losses-pfr-oa", "lambdas-pfr-oa"]) {
      expect(await page.getByTestId(chart).locator("canvas").count(), chart).toBe(1);
      expect(await textOf(chart)).toMatch(/R1\s.*\d[\s\S]*R2\s.*\d[\s\S]*R3\s.*\d/);
    }
  });

  test("draws the reward of each community with its interval", async () => {
    const figure = page.getByTestId("reward-figure");
    expect(await figure.locator("circle").count()).toBe(3);
    expect(await figure.locator("svg.reward-figure > title").first().textContent()).toMatch(
      /^pfr-oa: R1 −\d.*R2 −\d.*R3 −\d/,
    );
  });

  test("reports no error", async () => {
    expect(problems).toEqual([]);
  });
});
