import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nodeOptions } from "./daemon.ts";

const text = (path: string): string => readFileSync(join(import.meta.dirname, "../../..", path), "utf8");
const options = nodeOptions.join(" ");

test("a rehearsal's daemons run with the options of the boards' unit", () => {
  expect(text("ansible/roles/daemon/templates/offload.service")).toContain(`/bin/node ${options} `);
});

test("decisions are timed with them, too", () => {
  expect(text("package.json")).toContain(`tsx ${options} bench/decision.ts`);
});
